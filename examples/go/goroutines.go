// Goroutines and channels: a prime sieve, a tree of a goroutine for each of its nodes, and many that take turns. docs/go.md says how TinyGo builds it without
// rewriting it. goroutines.wat is what it amounts to, by hand.
package main

import "runtime"

// Sends 2, 3, 4, … for ever.
func generate(to chan<- int32) {
	for i := int32(2); ; i++ {
		to <- i
	}
}

// Passes on what is no multiple of a prime.
func filter(from <-chan int32, to chan<- int32, prime int32) {
	for {
		if i := <-from; i%prime != 0 {
			to <- i
		}
	}
}

// The nth prime: 2 is the first.
//
//export prime
func prime(n int32) int32 {
	from := make(chan int32)
	go generate(from)
	for {
		found := <-from
		if n--; n == 0 {
			return found
		}
		to := make(chan int32)
		go filter(from, to, found)
		from = to
	}
}

func node(level, number int32, to chan<- int64) {
	if level == 0 {
		to <- int64(number)
		return
	}
	from := make(chan int64)
	for i := int32(0); i < 10; i++ {
		go node(level-1, number*10+i, from)
	}
	sum := int64(0)
	for i := 0; i < 10; i++ {
		sum += <-from
	}
	to <- sum
}

// The sum of the numbers of all leaves of a tree in which each node has ten children.
//
//export skynet
func skynet(levels int32) int64 {
	sum := make(chan int64)
	go node(levels, 0, sum)
	return <-sum
}

var taken int32

//go:noinline
func below(depth int32) int32 {
	if depth == 0 {
		runtime.Gosched()
		return 0
	}
	return below(depth-1) + depth
}

// So many goroutines, each of which lets the others have their turn so many times, below so many calls.
//
//export turns
func turns(count, rounds, depth int32) int32 {
	taken = 0
	done := make(chan bool)
	for i := int32(0); i < count; i++ {
		go func() {
			for r := int32(0); r < rounds; r++ {
				below(depth)
				taken++
			}
			done <- true
		}()
	}
	for i := int32(0); i < count; i++ {
		<-done
	}
	return taken
}

func main() {}
