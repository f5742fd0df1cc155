package syntax

import (
	"path/filepath"
	"strings"
)

// definition is $NAME=value. One of several lines has the others in lines.
type definition struct {
	value    string
	multi    bool
	lines    []line
	where    bool // the value is the directory of the file that is being read
	takes    bool // it may have numbers behind its name
	nodeOnly bool // only the node knows its value
}

// predefined are keepalived's own.
func predefined() map[string]*definition {
	return map[string]*definition{
		"_PWD":      {where: true},
		"_INSTANCE": {nodeOnly: true},
		"_RANDOM":   {value: "0", takes: true, nodeOnly: true},
		"_HASH":     {value: "#"},
		"_BANG":     {value: "!"},
	}
}

func nameLength(text string) int {
	n := 0
	for n < len(text) && (text[n] == '_' || text[n] >= 'a' && text[n] <= 'z' ||
		text[n] >= 'A' && text[n] <= 'Z' || n > 0 && text[n] >= '0' && text[n] <= '9') {
		n++
	}
	return n
}

// startDefinition takes a line that begins $NAME=.
func (r *reader) startDefinition(l line) bool {
	if !strings.HasPrefix(l.text, "$") {
		return false
	}
	n := nameLength(l.text[1:])
	value, ok := strings.CutPrefix(l.text[1+n:], "=")
	if n == 0 || !ok {
		return false
	}
	value = strings.TrimLeft(value, blanks)
	d := &definition{}
	if first, more := strings.CutSuffix(value, `\`); more {
		d.multi = true
		if first = strings.TrimRight(first, blanks); first != "" {
			d.lines = append(d.lines, line{l.Pos, first})
		}
		r.defining = d
	} else {
		d.value = value
	}
	r.defs[l.text[1:1+n]] = d
	return true
}

// define adds a line to the definition that was begun.
func (r *reader) define(l line) {
	d := r.defining
	text, more := strings.CutSuffix(l.text, `\`)
	if !more {
		r.defining = nil
	}
	if text = strings.TrimRight(text, blanks); text != "" {
		d.lines = append(d.lines, line{l.Pos, text})
	}
}

// lineFeed is the rest of a definition of several lines.
type lineFeed struct{ lines []line }

func (f *lineFeed) next(*reader) (line, bool) {
	if len(f.lines) == 0 {
		return line{}, false
	}
	l := f.lines[0]
	f.lines = f.lines[1:]
	return l, true
}

// reference finds a name behind a $; length is that of all of it, with braces and numbers.
func (r *reader) reference(text string) (d *definition, length int) {
	rest, braced := strings.CutPrefix(text, "{")
	n := nameLength(rest)
	if n == 0 {
		return nil, 0
	}
	d, known := r.defs[rest[:n]]
	after := rest[n:]
	length = n
	if braced {
		numbers := strings.TrimLeft(after, " 0123456789")
		params := after[:len(after)-len(numbers)]
		if !strings.HasPrefix(numbers, "}") || strings.HasSuffix(params, " ") ||
			known && params != "" && !d.takes {
			return nil, 0
		}
		length += 2 + len(params)
		after = numbers[1:]
	} else if after != "" && !strings.ContainsRune(" \t,)", rune(after[0])) {
		return nil, 0
	}
	if !known || d.multi && after != "" {
		return nil, 0
	}
	return d, length
}

// substitute has each $NAME that is defined replaced, what comes of it included.
func (r *reader) substitute(l line) (text string, changed bool, err error) {
	text = l.text
	var tails []*lineFeed
	for at, steps := 0, 0; ; {
		found := strings.IndexByte(text[at:], '$')
		if found < 0 {
			break
		}
		at += found
		d, length := r.reference(text[at+1:])
		if d == nil {
			at++
			continue
		}
		if steps++; steps > maxSteps {
			return "", false, &Fault{l.Pos, "a definition in it is defined by itself"}
		}
		value := d.value
		switch {
		case d.multi && len(d.lines) > 0:
			value = d.lines[0].text
			tails = append(tails, &lineFeed{d.lines[1:]})
		case d.where:
			value = filepath.Dir(l.File)
		case d.nodeOnly:
			value = r.nodesOwn(l.Pos, d, text[at+1:at+1+length])
		}
		text = text[:at] + value + text[at+1+length:]
		changed = true
		if len(text) > longest {
			return "", false, &Fault{l.Pos, "definitions make it longer than a line of " +
				"keepalived can be"}
		}
		if strings.HasPrefix(strings.TrimLeft(value, blanks), "~") {
			break
		}
	}
	for _, tail := range tails {
		r.push(tail)
	}
	return text, changed, nil
}

// nodesOwn stands for a value that only the node knows.
func (r *reader) nodesOwn(at Pos, d *definition, name string) string {
	r.notice(at, Elsewhere, "the value of $%s is known on the node alone", strings.Trim(name, "{}"))
	if fields := strings.Fields(strings.Trim(name, "{}")); d.takes && len(fields) > 1 {
		return fields[1]
	}
	return d.value
}
