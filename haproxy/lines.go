package haproxy

import (
	"iter"
	"slices"
	"strings"
)

// line is a line of a configuration with its words, as HAProxy reads them.
type line struct {
	file   string
	number int
	text   string // as it is written, without the end of the line
	words  []string
	// conditional is set between .if and .endif: HAProxy may pass the line over.
	conditional bool
}

// vague stands in a word for what only HAProxy itself knows: the value of a variable that nobody
// has set here, or that a line between .if and .endif may have set.
const vague = "\x00"

// linesOf yields the lines of a whole configuration that have words, in HAProxy's order. The
// variables that the configuration itself sets are followed from line to line.
func linesOf(sources []Source, getenv func(string) string) iter.Seq[line] {
	return func(yield func(line) bool) {
		env := variables{outside: getenv, own: map[string]string{}}
		depth := 0
		for _, source := range sources {
			number := 0
			for text := range strings.Lines(source.Text) {
				number++
				text = strings.TrimRight(text, "\r\n")
				words := splitLine(text, env.get)
				if len(words) == 0 {
					continue
				}
				switch words[0] {
				case ".if":
					depth++
				case ".endif":
					depth--
				default:
					env.set(words, depth > 0)
				}
				if !yield(line{source.File, number, text, words, depth > 0}) {
					return
				}
			}
		}
	}
}

// variables are those of HAProxy's environment while it reads its configuration (section global:
// setenv, presetenv, unsetenv, resetenv).
type variables struct {
	outside func(string) string
	// own are those that the configuration has set, or unset: "".
	own map[string]string
	// reset is set where nothing else is left of those outside.
	reset bool
}

// get returns a variable's value, and whether that is known: a variable that is not set here may
// be one that HAProxy itself sets.
func (v *variables) get(name string) (value string, known bool) {
	if value, ok := v.own[name]; ok {
		return value, true
	}
	if v.reset {
		return "", true
	}
	value = v.outside(name)
	return value, value != ""
}

// set takes a line that may change variables.
func (v *variables) set(words []string, conditional bool) {
	switch word, args := words[0], words[1:]; {
	case word == "setenv" && len(args) == 2:
		v.put(args[0], args[1], conditional)
	case word == "presetenv" && len(args) == 2:
		if value, known := v.get(args[0]); !known || value == "" {
			v.put(args[0], args[1], conditional)
		}
	case word == "unsetenv":
		for _, name := range args {
			v.put(name, "", conditional)
		}
	case word == "resetenv" && conditional:
		outside := v.outside
		v.outside = func(name string) string {
			if slices.Contains(args, name) {
				return outside(name)
			}
			return vague
		}
		for name := range v.own {
			if !slices.Contains(args, name) {
				v.own[name] = vague
			}
		}
	case word == "resetenv":
		kept := map[string]string{}
		for _, name := range args {
			if value, known := v.get(name); known {
				kept[name] = value
			}
		}
		v.own, v.reset = kept, true
	}
}

func (v *variables) put(name, value string, conditional bool) {
	if conditional {
		value = vague
	}
	v.own[name] = value
}

// sure reports whether a word is what HAProxy will read.
func sure(word string) bool { return !strings.Contains(word, vague) }
