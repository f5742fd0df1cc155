package syntax

import (
	"fmt"
	"strconv"
	"strings"
)

// sequenceFeed is a line that is read once for each set of values.
type sequenceFeed struct {
	line
	names []string
	value func(n int) []string // nil at the end
	n     int
}

func (f *sequenceFeed) next(r *reader) (line, bool) {
	values := f.value(f.n)
	if values == nil {
		return line{}, false
	}
	f.n++
	for i, name := range f.names {
		r.defs[name] = &definition{value: values[i]}
	}
	return f.line, true
}

// sequence begins a ~SEQ or ~LST.
func (r *reader) sequence(l line) error {
	list := strings.HasPrefix(l.text, "~LST")
	text := l.text[4:]
	hex := false
	if rest, ok := strings.CutPrefix(text, "x"); ok && !list {
		text, hex = rest, true
	}
	inside, rest, ok := parenthesised(text)
	bad := func(why string) error {
		r.notice(l.Pos, Sequence, "%s: %s: keepalived passes over it", brief(l.text), why)
		return nil
	}
	if !ok {
		return bad("expected (NAME, …) behind it")
	}
	f := &sequenceFeed{line: line{l.Pos, strings.TrimLeft(rest, blanks)}}
	if list {
		names, sets, err := listOf(inside)
		if err != nil {
			return bad(err.Error())
		}
		f.names = names
		f.value = func(n int) []string {
			if n >= len(sets) {
				return nil
			}
			return sets[n]
		}
		r.push(f)
		return nil
	}
	name, numbers, ok := strings.Cut(inside, ",")
	if name = strings.Trim(name, blanks); !ok || name == "" {
		return bad("expected a name and numbers")
	}
	numbers, _, err := r.substitute(line{l.Pos, strings.ReplaceAll(numbers, ",", " , ")})
	if err != nil {
		return err
	}
	start, step, end, err := bounds(numbers)
	if err != nil {
		return bad(err.Error())
	}
	if hex && (start < 0 || end < 0) {
		return bad("only numbers from 0 can be written so")
	}
	f.names = []string{name}
	f.value = func(n int) []string {
		at := start + int64(n)*step
		if step > 0 && at > end || step < 0 && at < end || n > maxLines {
			return nil
		}
		if hex {
			return []string{strconv.FormatInt(at, 16)}
		}
		return []string{strconv.FormatInt(at, 10)}
	}
	r.push(f)
	return nil
}

// bounds reads END, or START, END, or START, STEP, END.
func bounds(text string) (start, step, end int64, err error) {
	var numbers []int64
	for field := range strings.SplitSeq(text, ",") {
		n, err := strconv.ParseInt(strings.Trim(field, blanks), 0, 32)
		if err != nil {
			return 0, 0, 0, fmt.Errorf("%q is no number", brief(strings.Trim(field, blanks)))
		}
		numbers = append(numbers, n)
	}
	switch len(numbers) {
	case 1:
		start, step, end = 1, 1, numbers[0]
		if end < 0 {
			start = -1
		}
		if end < 1 {
			step = -1
		}
	case 2:
		start, step, end = numbers[0], 1, numbers[1]
		if start > end {
			step = -1
		}
	case 3:
		start, step, end = numbers[0], numbers[1], numbers[2]
		if step == 0 || start < end && step < 0 || start > end && step > 0 {
			return 0, 0, 0, fmt.Errorf("steps of %d do not lead from %d to %d", step, start, end)
		}
	default:
		return 0, 0, 0, fmt.Errorf("expected START, STEP, END")
	}
	return start, step, end, nil
}

// parenthesised cuts (…) off a text.
func parenthesised(text string) (inside, rest string, ok bool) {
	text, ok = strings.CutPrefix(strings.TrimLeft(text, blanks), "(")
	if !ok {
		return "", "", false
	}
	return strings.Cut(text, ")")
}

// listOf reads NAME, value, value … or {NAME, NAME}, {value, value}, …
func listOf(text string) (names []string, sets [][]string, err error) {
	items, err := itemsOf(text)
	if err != nil || len(items) < 2 {
		return nil, nil, fmt.Errorf("expected (NAME, value, …)")
	}
	names = items[0]
	for _, set := range items[1:] {
		if len(set) > len(names) {
			return nil, nil, fmt.Errorf("more values than names")
		}
		for len(set) < len(names) {
			set = append(set, "")
		}
		sets = append(sets, set)
	}
	return names, sets, nil
}

// itemsOf cuts a list at its commas; what is in braces is one item of several words.
func itemsOf(text string) (items [][]string, err error) {
	for {
		text = strings.TrimLeft(text, blanks)
		if inner, ok := strings.CutPrefix(text, "{"); ok {
			inside, rest, ok := strings.Cut(inner, "}")
			if !ok {
				return nil, fmt.Errorf("a } is missing")
			}
			items = append(items, trimmed(strings.Split(inside, ",")))
			rest = strings.TrimLeft(rest, blanks)
			if rest == "" {
				return items, nil
			}
			if text, ok = strings.CutPrefix(rest, ","); !ok {
				return nil, fmt.Errorf("expected a comma behind }")
			}
			continue
		}
		item, rest, more := strings.Cut(text, ",")
		items = append(items, trimmed([]string{item}))
		if !more {
			return items, nil
		}
		text = rest
	}
}

func trimmed(words []string) []string {
	for i, word := range words {
		words[i] = strings.Trim(word, blanks)
	}
	return words
}

// braces returns the patterns that a{b,c}d stands for, as csh has them.
func braces(pattern string) ([]string, error) {
	out := []string{""}
	begin := strings.IndexByte(pattern, '{')
	if begin < 0 || strings.HasPrefix(pattern[begin:], "{}") {
		return []string{pattern}, nil
	}
	depth, from, end := 0, begin+1, -1
	var choices []string
	for i := begin; i < len(pattern) && end < 0; i++ {
		switch pattern[i] {
		case '{':
			depth++
		case ',':
			if depth == 1 {
				choices, from = append(choices, pattern[from:i]), i+1
			}
		case '}':
			if depth--; depth == 0 {
				choices, end = append(choices, pattern[from:i]), i
			}
		}
	}
	if end < 0 {
		return []string{pattern}, nil
	}
	out = out[:0]
	for _, choice := range choices {
		more, err := braces(pattern[:begin] + choice + pattern[end+1:])
		if err != nil {
			return nil, err
		}
		if out = append(out, more...); len(out) > maxPattern {
			return nil, fmt.Errorf("include %s leads to more than %d patterns", brief(pattern),
				maxPattern)
		}
	}
	return out, nil
}
