package param

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// SplitWords splits a text at white space. Single quotes keep everything up to the next one, double
// quotes keep everything but backslash escapes of " and \, and a backslash outside quotes keeps the
// next character: the quoting of a POSIX shell (Shell Command Language, 2.2) without any expansion.
func SplitWords(text string) ([]string, error) {
	var (
		words  []string
		word   strings.Builder
		inWord bool
		quote  rune
	)
	runes := []rune(text)
	for i := 0; i < len(runes); i++ {
		r := runes[i]
		switch {
		case r == '\\' && quote != '\'':
			if i+1 == len(runes) {
				return nil, errors.New("ends in a backslash that escapes nothing")
			}
			i++
			if quote == '"' && runes[i] != '"' && runes[i] != '\\' {
				word.WriteRune('\\')
			}
			word.WriteRune(runes[i])
			inWord = true
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, inWord = r, true
		case strings.ContainsRune(" \t\r\n", r):
			if inWord {
				words = append(words, word.String())
				word.Reset()
				inWord = false
			}
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	if quote != 0 {
		return nil, errors.New("has an opening quote that is never closed")
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}

// JoinWords writes words so that SplitWords reads them back.
func JoinWords(words []string) string {
	out := make([]string, len(words))
	for i, word := range words {
		if out[i] = word; word == "" || strings.ContainsAny(word, " \t\r\n\"'\\;") {
			out[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
	}
	return strings.Join(out, " ")
}

// Words binds a list of words, as SplitWords reads it.
func Words(p *[]string, def string) Value {
	*p, _ = SplitWords(def)
	return bind("string", def, p, SplitWords)
}

// ReservedArguments returns HAProxy's options that would conflict with how the agent runs it, or
// run something other than a balancer.
func ReservedArguments() []string {
	return []string{"-c", "-cc", "-d", "-db", "-h", "-p", "-S", "-sf", "-st", "-v", "-vv", "-Ws",
		"-x"}
}

// reservedOption reports whether HAProxy takes a word for a reserved option. It looks at an option's
// first letters only (src/haproxy.c, init_args): -cx is -c.
func reservedOption(word string) bool {
	for _, prefix := range []string{"-c", "-h", "-p", "-S", "-sf", "-st", "-v", "-Ws", "-x", "-db"} {
		if strings.HasPrefix(word, prefix) {
			return true
		}
	}
	return word == "-d" // its other letters are options of their own: -dM, -dr
}

// CheckArguments refuses further arguments for HAProxy that belong to the agent.
func CheckArguments(words []string) error {
	reserved, files := ReservedArguments(), false
	for _, word := range words {
		files = files || word == "--" // what follows is no option
		if slices.Contains(reserved, word) || !files && reservedOption(word) {
			return fmt.Errorf("holds %s, which only the agent may use: take it out", word)
		}
	}
	return nil
}

// ParseArguments reads further arguments for HAProxy: words, as SplitWords reads them, none of
// which belongs to the agent.
func ParseArguments(text string) ([]string, error) {
	words, err := SplitWords(text)
	if err == nil {
		err = CheckArguments(words)
	}
	if err != nil {
		return nil, err
	}
	return words, nil
}
