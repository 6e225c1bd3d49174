/**
 * Go source in bad shape, of about the given length in bytes: the same text for the same length.
 * It parses, and gofmt changes nearly every line of it.
 */
export function goSource(length: number): string {
  const parts = ['package   main\nimport (\n"fmt"\n  "os"\n)\n'];
  let size = parts[0]?.length ?? 0;
  for (let i = 0; size < length; i++) {
    const part = `
// f${i} adds , multiplies and prints
func   f${i}( a int,b   []string ,c map[string]struct{x,y int})(int,error){
x:=a*${i}+len(b)
  if x>${i % 97}{ return x,nil } else if x== -1 {
return 0 , fmt.Errorf( "bad %d of %q",x,b )
}
for i:=0;i<len(b);i++{
switch b[ i ]{
case "a" ,"b": x+=  i
default:
x-=i<<2|1
}
}
  type t struct{ Name string "json:\\"name\\""; Count int // how many
L float64 }
var v=t{ Name:"é",Count:${i},L:1.5e3 }
_ = v
    go func(){ defer os.Exit( ${i % 3} ); fmt.Println(x,v.Name) }()
return x,nil
}
`;
    parts.push(part);
    size += Buffer.byteLength(part);
  }
  return parts.join('');
}
