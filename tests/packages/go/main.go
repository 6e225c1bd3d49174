// What a Go program does that its runtime has to do by itself: goroutines, channels, timers, files, defers, and a panic at the end.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sort"
	"strings"
	"sync"
	"time"
)

func worker(in <-chan int, out chan<- string, done *sync.WaitGroup) {
	defer done.Done()
	for n := range in {
		time.Sleep(time.Duration(n%3) * time.Millisecond)
		out <- fmt.Sprintf("%03d:%d", n, n*n)
	}
}

func deep(n int) int {
	if n == 0 {
		return 0
	}
	return 1 + deep(n-1)
}

func main() {
	in, out := make(chan int), make(chan string, 8)
	var done sync.WaitGroup
	for i := 0; i < 16; i++ {
		done.Add(1)
		go worker(in, out, &done)
	}
	go func() {
		for n := 0; n < 200; n++ {
			in <- n
		}
		close(in)
		done.Wait()
		close(out)
	}()
	var all []string
	for s := range out {
		all = append(all, s)
	}
	sort.Strings(all)
	fmt.Println(len(all), all[0], all[199], len(strings.Join(all, " ")))

	timeout := time.After(time.Minute)
	ticks := 0
	ticker := time.NewTicker(2 * time.Millisecond)
loop:
	for ticks < 5 {
		select {
		case <-ticker.C:
			ticks++
		case <-timeout:
			break loop
		}
	}
	fmt.Println(ticks > 0, deep(5000))
	runtime.GC()

	name := os.Args[1]
	if err := os.WriteFile(name, []byte("written by go"), 0o600); err != nil {
		fmt.Println("file:", err)
	}
	text, err := os.ReadFile(name)
	fmt.Println(string(text), err)
	_, err = os.Stat(name + ".none")
	fmt.Println(os.IsNotExist(err))

	defer func() {
		fmt.Println("recovered:", recover())
		var list []int
		fmt.Fprintln(os.Stdout, list[ticks*0+3])
	}()
	panic("on purpose")
}
