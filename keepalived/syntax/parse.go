package syntax

import (
	"fmt"
	"maps"
	"slices"

	text "github.com/hawser-ha/hawser/internal/words"
)

// parser makes statements of lines. Which words are keywords depends on the block; what is none is
// passed over, but not the block behind it, whose end then ends the block around it.
type parser struct {
	*reader
	depth int            // braces that are open
	seen  map[string]Pos // the blocks that are there once for each name
}

// next is the next line as words. It counts braces, as keepalived does, which says in the end how
// many are missing.
func (p *parser) next() (l line, words []string, ok bool, err error) {
	for {
		l, ok, err = p.reader.next()
		if !ok || err != nil {
			return line{}, nil, false, err
		}
		switch l.text {
		case "{":
			p.depth++
		case "}":
			if p.depth--; p.depth < 0 {
				p.notice(l.Pos, Brace, "a } too many")
				p.depth = 0
			}
		}
		words, closed := split(l.text)
		if !closed {
			p.notice(l.Pos, Quote, "a quote has no end: what is behind it is not read")
		}
		if len(words) > 0 {
			return l, words, true, nil
		}
	}
}

// block reads statements up to the end of the block or of the file.
func (p *parser) block(known keywords, needOpen bool, level int) ([]*Statement, error) {
	var body []*Statement
	for {
		l, words, ok, err := p.next()
		if !ok || err != nil {
			return body, err
		}
		if needOpen {
			needOpen = false
			if words[0] == "{" {
				continue
			}
			p.notice(l.Pos, Brace, "a { is missing before this line")
		} else if words[0] == "{" {
			p.notice(l.Pos, Brace, "a { that belongs to no block is passed over, and its } ends the "+
				"block around it")
			continue
		}
		if words[0] == "}" && level > 0 {
			return body, nil
		}
		s := &Statement{Pos: l.Pos, Words: words, Raw: l.text}
		body = append(body, s)
		about, ok := known[words[0]]
		switch {
		case !ok:
			s.Passed = "keepalived does not know it here and passed over it"
			if words[0] != "}" && len(p.config.Notices) < maxNotices {
				p.notice(l.Pos, Unknown, "%q is no keyword here%s: keepalived passes over it", words[0],
					known.meant(words[0]))
			}
			continue
		case !about.list && about.below == nil:
			continue
		case level+1 > maxNesting:
			return nil, &Fault{l.Pos, fmt.Sprintf("blocks are more than %d deep", maxNesting)}
		}
		s.Block, s.List = true, about.list
		if err := p.inside(s, about, level); err != nil {
			return nil, err
		}
	}
}

// meant is the keyword that a word may have been meant for, in words.
func (k keywords) meant(word string) string {
	for _, name := range slices.Sorted(maps.Keys(k)) {
		if len(word) > 3 && text.Near(word, name) {
			return " (" + name + " is)"
		}
	}
	return ""
}

// inside reads what is between the braces of a statement.
func (p *parser) inside(s *Statement, about keyword, level int) (err error) {
	switch {
	case about.once && len(s.Words) != 2:
		s.Passed = "keepalived passes over the block: expected " + s.Words[0] + " and one name"
		p.notice(s.Pos, Duplicate, "%s has %d names, and needs one: keepalived passes over the block",
			s.Words[0], len(s.Words)-1)
		return p.skip(s)
	case about.once:
		name := s.Words[0] + " " + s.Words[1]
		if first, ok := p.seen[name]; ok {
			s.Passed = "keepalived passes over the block: one of this name is in line " +
				fmt.Sprint(first.Line)
			p.notice(s.Pos, Duplicate, "%s is already defined in %s: keepalived passes over this block",
				name, first)
			return p.skip(s)
		}
		p.seen[name] = s.Pos
	}
	if about.list {
		s.Body, err = p.list(s)
		return err
	}
	s.Body, err = p.block(about.below, true, level+1)
	return err
}

// list reads lines up to the next }, whatever they say.
func (p *parser) list(s *Statement) (body []*Statement, err error) {
	if len(s.Words) > 1 && !isNamed(s.Words[0]) {
		p.notice(s.Pos, Extra, "%s takes no %q", s.Words[0], s.Words[1])
	}
	for needOpen := true; ; needOpen = false {
		l, words, ok, err := p.next()
		switch {
		case !ok || err != nil:
			return body, err
		case needOpen && words[0] == "{":
			continue
		case needOpen:
			p.notice(l.Pos, Brace, "a { is missing before this line")
		}
		if words[0] == "}" {
			return body, nil
		}
		if body = append(body, &Statement{Pos: l.Pos, Words: words, Raw: l.text}); len(body) > maxList {
			return nil, &Fault{l.Pos, fmt.Sprintf("%s has more than %d lines", s.Words[0], maxList)}
		}
	}
}

// skip passes over a block, if one follows.
func (p *parser) skip(s *Statement) error {
	for open := 0; ; {
		l, words, ok, err := p.next()
		if !ok || err != nil {
			return err
		}
		switch words[0] {
		case "{":
			open++
		case "}":
			open--
		}
		switch {
		case open == 0 && words[0] != "}": // there was no block
			p.push(&residue{l, false})
			return nil
		case open == 0:
			return nil
		case words[0] != "{" && words[0] != "}":
			s.Body = append(s.Body, &Statement{Pos: l.Pos, Words: words, Raw: l.text, Passed: s.Passed})
		}
	}
}
