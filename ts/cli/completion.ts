/** Scripts that complete command lines, made of the table that commander reads them by. */
import type { Command, Option } from 'commander';

/** Shells that there are scripts for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** A command as far as completion goes. */
interface Row {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly Option[];
}

/** The script for a shell. */
export function completionScript(heddle: Command, shell: string): string {
  const rows = heddle.commands.map((c): Row => ({ name: c.name(), summary: c.summary(), options: c.options }));
  const own = heddle.options;
  if (shell === 'zsh') return zsh(rows, own);
  return shell === 'fish' ? fish(rows, own) : bash(rows, own);
}

const flags = ({ short, long }: Option): string[] => [short, long].filter((flag) => flag !== undefined);
const allFlags = (options: readonly Option[]): string => [...options.flatMap(flags), '--help'].join(' ');
const takesValue = (option: Option): boolean => option.required || option.optional;
/** An option's value where it is none of a list and no file. */
const isFile = ({ flags: text }: Option): boolean => /<(file|host)/.test(text);

/** Text in single quotes, for all three shells. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** A branch for the options that take a value: words, files, or nothing that is known. */
function bashValue(option: Option): string {
  const what = option.argChoices ? `-W ${quoted(option.argChoices.join(' '))}` : isFile(option) ? '-f' : "-W ''";
  return `    ${flags(option).join('|')}) COMPREPLY=($(compgen ${what} -- "$current")); return ;;`;
}

function bash(rows: readonly Row[], own: readonly Option[]): string {
  const values = [...own, ...rows.flatMap((row) => row.options)].filter(takesValue);
  const once = [...new Map(values.map((option) => [option.long ?? option.flags, option])).values()];
  return `# bash completion of heddle: source <(heddle --completion bash)
_heddle() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command= options= word i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ $word != -* ]]; then command=$word; break; fi
  done
  case $before in
${once.map(bashValue).join('\n')}
  esac
  case $command in
    '') options=${quoted(allFlags(own))} ;;
${rows.map((row) => `    ${row.name}) options=${quoted(allFlags(row.options))} ;;`).join('\n')}
  esac
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$current"))
  elif [[ -z $command ]]; then
    COMPREPLY=($(compgen -W ${quoted([...rows.map((row) => row.name), 'help', 'version'].join(' '))} -- "$current") $(compgen -f -- "$current"))
  elif [[ $command == help ]]; then
    COMPREPLY=($(compgen -W ${quoted(rows.map((row) => row.name).join(' '))} -- "$current"))
  else
    COMPREPLY=($(compgen -f -- "$current"))
  fi
}
complete -o filenames -o bashdefault -F _heddle heddle
`;
}

function zshOption(option: Option): string {
  const value = option.argChoices ? `(${option.argChoices.join(' ')})` : isFile(option) ? '_files' : ' ';
  const about = `[${option.description.replace(/[[\]:]/g, '\\$&')}]${takesValue(option) ? `:value:${value}` : ''}`;
  return flags(option)
    .map((flag) => `    ${quoted(`*${flag}${about}`)} \\\n`)
    .join('');
}

function zsh(rows: readonly Row[], own: readonly Option[]): string {
  const commands = rows.map((row) => `    ${quoted(`${row.name}:${row.summary}`)}`).join('\n');
  return `#compdef heddle
# zsh completion of heddle: heddle --completion zsh > a file _heddle in a folder of $fpath
_heddle() {
  local -a commands
  commands=(
${commands}
    'help:print the help of a command'
    'version:print the version'
  )
  if ((CURRENT == 2)); then
    _describe command commands
    _files
    _arguments \\
${own.map(zshOption).join('')}    '--help[print help]'
    return
  fi
  case $words[2] in
${rows.map((row) => `  ${row.name}) shift words; ((CURRENT--)); _arguments \\\n${row.options.map(zshOption).join('')}    '--help[print help]' '*:file:_files' ;;`).join('\n')}
  help) _describe command commands ;;
  *) _files ;;
  esac
}
if [[ $funcstack[1] == _heddle ]]; then _heddle "$@"; else compdef _heddle heddle; fi
`;
}

/** fish has only \\\\ and \\' in single quotes. */
const fishQuoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;

function fishOption(option: Option, condition: string): string {
  const short = option.short === undefined ? '' : ` -s ${option.short.slice(1)}`;
  const long = option.long === undefined ? '' : ` -l ${option.long.slice(2)}`;
  const choices = option.argChoices ? ` -x -a ${fishQuoted(option.argChoices.join(' '))}` : isFile(option) ? ' -r -F' : ' -x';
  const value = takesValue(option) ? choices : '';
  return `complete -c heddle -n ${fishQuoted(condition)}${short}${long}${value} -d ${fishQuoted(option.description)}`;
}

function fish(rows: readonly Row[], own: readonly Option[]): string {
  const first = '__fish_use_subcommand';
  const lines = [
    '# fish completion of heddle: heddle --completion fish > ~/.config/fish/completions/heddle.fish',
    ...rows.map((row) => `complete -c heddle -n ${first} -a ${row.name} -d ${fishQuoted(row.summary)}`),
    `complete -c heddle -n ${first} -a help -d 'print the help of a command'`,
    `complete -c heddle -n ${first} -a version -d 'print the version'`,
    ...own.map((option) => fishOption(option, first)),
    ...rows.flatMap((row) => row.options.map((option) => fishOption(option, `__fish_seen_subcommand_from ${row.name}`))),
    `complete -c heddle -n '__fish_seen_subcommand_from help' -f -a ${fishQuoted(rows.map((row) => row.name).join(' '))}`,
  ];
  return `${lines.join('\n')}\n`;
}
