// Package ticker shows what a program waits for, once that has taken a second. It imports nothing
// of ours.
package ticker

import (
	"fmt"
	"io"
	"sync"
	"time"
	"unicode/utf8"
)

// Ticker shows what the program waits for, once that has taken a second. On a terminal it is one
// line that rewrites itself, elsewhere a line for each change.
type Ticker struct {
	out      io.Writer
	rewrites bool
	start    time.Time
	stop     chan struct{}
	done     chan struct{}

	mu    sync.Mutex
	text  string
	shown string
	width int // of the line on the terminal
}

// columns is how long the line may be, on a terminal of 80.
const columns = 79

// patience is how long waiting is not worth a word.
const patience = time.Second

// Start begins to show, on w. rewrites says that w is a terminal.
func Start(w io.Writer, rewrites bool) *Ticker {
	t := &Ticker{
		out: w, rewrites: rewrites, start: time.Now(), stop: make(chan struct{}),
		done: make(chan struct{}),
	}
	go t.run()
	return t
}

func (t *Ticker) run() {
	defer close(t.done)
	clock := time.NewTicker(patience / 4)
	defer clock.Stop()
	for {
		select {
		case <-t.stop:
			return
		case <-clock.C:
			if time.Since(t.start) >= patience {
				t.show()
			}
		}
	}
}

// Set replaces what is waited for.
func (t *Ticker) Set(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = text
}

func (t *Ticker) show() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.text == "" {
		return
	}
	if !t.rewrites {
		if t.text != t.shown {
			fmt.Fprintf(t.out, "%s\n", t.text)
			t.shown = t.text
		}
		return
	}
	passed := fmt.Sprintf(" (%ds)", int(time.Since(t.start).Seconds()))
	text := []rune(t.text)
	if room := columns - len(passed); len(text) > room { // a line that is wrapped cannot be rewritten
		text = append(text[:room-1], '…')
	}
	line := string(text) + passed
	fmt.Fprintf(t.out, "\r%-*s", t.width, line)
	t.width = utf8.RuneCountInString(line)
}

// Close removes the line.
func (t *Ticker) Close() {
	close(t.stop)
	<-t.done
	if t.rewrites && t.width > 0 {
		fmt.Fprintf(t.out, "\r%*s\r", t.width, "")
	}
}
