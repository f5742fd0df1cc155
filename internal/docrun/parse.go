package docrun

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Page is a page of documentation.
type Page struct {
	Name  string
	Steps []Step
	// Mentions are commands in running text and in tables.
	Mentions []Mention
}

// Read reads a page, and the file of steps beside it if there is one. All faults are reported at
// once, each with its line.
func Read(path string) (Page, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Page{}, fmt.Errorf("docrun: %w", err)
	}
	steps, err := os.ReadFile(stepsOf(path))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Page{}, fmt.Errorf("docrun: %w", err)
	}
	return Parse(path, string(text), string(steps))
}

// stepsOf returns the name of the file with the steps of a page that its readers do not see.
func stepsOf(page string) string { return strings.TrimSuffix(page, ".md") + ".steps" }

// Parse reads a page's text and that of the steps beside it, "" if there are none.
func Parse(name, text, steps string) (Page, error) {
	p := &parser{name: name}
	p.lines(text)
	beside := &parser{name: stepsOf(name), of: p}
	beside.lines(steps)
	page := Page{Name: name, Steps: p.with(beside.pieces), Mentions: p.mentioned}
	return page, errors.Join(errors.Join(p.faults...), errors.Join(beside.faults...),
		page.unrun())
}

// parser reads a page, or the steps beside one.
type parser struct {
	name      string
	section   string
	pieces    []piece
	mentioned []Mention
	open      *block
	blank     bool // the line before was empty
	faults    []error

	// of is the page, if these are the steps beside it; after is the piece of the page after which
	// the next ones come, -1 before the first section.
	of    *parser
	after int
}

// piece is a heading of a page, or a step.
type piece struct {
	section string
	step    *Step
	after   int // of a step beside the page: the piece that it follows
}

// block is a fenced block or a comment that is open.
type block struct {
	at     int
	end    string // the line that ends it
	indent string
	info   []string
	prose  bool // a comment
	text   []string
}

func (p *parser) wrong(line int, format string, a ...any) {
	p.faults = append(p.faults, fmt.Errorf("%s:%d: %w", p.name, line, fmt.Errorf(format, a...)))
}

func (p *parser) lines(text string) {
	for i, line := range strings.Split(text, "\n") {
		p.line(i+1, strings.TrimSuffix(line, "\r"))
	}
	if p.open != nil {
		p.wrong(p.open.at, "this block does not end: %q is missing", p.open.end)
	}
}

var (
	fence  = regexp.MustCompile("^( {0,3})(```+)([^`]*)$")
	anchor = regexp.MustCompile("^After `(.+)`:$")
)

func (p *parser) line(n int, line string) {
	trimmed := strings.TrimSpace(line)
	if b := p.open; b != nil {
		if trimmed == b.end || b.prose && strings.HasSuffix(trimmed, b.end) {
			p.open = nil
			p.close(b)
			return
		}
		b.text = append(b.text, strings.TrimPrefix(line, b.indent))
		return
	}
	wasBlank := p.blank
	p.blank = trimmed == ""
	switch m := fence.FindStringSubmatch(line); {
	case m != nil:
		p.open = &block{at: n, end: m[2], indent: m[1], info: strings.Fields(m[3])}
	case strings.HasPrefix(trimmed, "<!--"):
		if strings.HasSuffix(trimmed, "-->") {
			return
		}
		info := strings.Fields(strings.TrimPrefix(trimmed, "<!--"))
		if len(info) > 0 && slices.Contains([]string{"sh", "lab", "text"}, info[0]) {
			p.wrong(n, "a step that readers need not see belongs into %s", stepsOf(p.name))
		}
		p.open = &block{at: n, end: "-->", prose: true}
	case strings.HasPrefix(line, "#"):
		p.heading(n, strings.TrimSpace(strings.TrimLeft(line, "#")))
	case p.of != nil:
		if m := anchor.FindStringSubmatch(line); m != nil {
			p.follow(n, m[1])
		}
	case wasBlank && (strings.HasPrefix(line, "    ") || strings.HasPrefix(line, "\t")):
		p.wrong(n, "an indented block: commands belong into a fenced one that says where they "+
			"are run")
	default:
		p.mentions(n, line)
	}
}

// close turns a block that has ended into a step.
func (p *parser) close(b *block) {
	if b.prose {
		return
	}
	if len(b.info) == 0 {
		p.wrong(b.at, "this block does not say what it is: sh, text, log, or a file's language")
		return
	}
	text := strings.Join(b.text, "\n")
	s := Step{
		Page: p.name, Line: b.at + 1, Section: p.section, Place: Lab, Text: text,
		Hidden: p.of != nil,
	}
	switch b.info[0] {
	case "text":
		p.output(b)
		return
	case "log":
		return
	case "lab":
		if p.of == nil {
			p.wrong(b.at, "what is done to the machines belongs into %s", stepsOf(p.name))
			return
		}
		s.Kind = Action
	case "sh":
		s.Kind = Script
	default:
		s.Kind = File
	}
	words := b.info[1:]
	if s.Kind != Action {
		if len(words) == 0 || strings.Contains(words[0], "=") {
			p.wrong(b.at, "this block does not say on which node it is run: ```%s lb-1", b.info[0])
			return
		}
		s.On, words = words[0], words[1:]
	}
	for _, w := range words {
		if err := s.set(w); err != nil {
			p.wrong(b.at, "%w", err)
			return
		}
	}
	switch {
	case (s.Kind == File) != (s.Path != ""):
		p.wrong(b.at,
			"a block of %s and file=%s: a file needs both a language other than sh and file=PATH",
			b.info[0], s.Path)
	case strings.TrimSpace(text) == "":
		p.wrong(b.at, "this block is empty")
	case p.of != nil && p.section == "":
		p.wrong(b.at, "this block is not below the heading of a section of the page")
	default:
		p.pieces = append(p.pieces, piece{section: p.section, step: &s, after: p.after})
	}
}

// output adds the expected output to the command before it.
func (p *parser) output(b *block) {
	if last := len(p.pieces) - 1; last >= 0 {
		of := p.pieces[last]
		if s := of.step; s != nil && s.Kind == Script && s.Want == nil &&
			of.section == p.section && of.after == p.after {
			s.Want = b.text
			return
		}
	}
	p.wrong(b.at,
		"there is no command before this output; an excerpt that is not compared is a block of log")
}

func (s *Step) set(word string) error {
	key, value, _ := strings.Cut(word, "=")
	var err error
	switch key {
	case "in":
		if s.Place = Place(value); !slices.Contains([]Place{Lab, Guest}, s.Place) {
			return fmt.Errorf("%s: the places are lab and guest", word)
		}
	case "file":
		s.Path = value
	case "exit":
		s.Exit, err = strconv.Atoi(value)
		if err == nil && (s.Exit < 0 || s.Exit > 255) {
			err = errors.New("no exit code")
		}
	case "within":
		s.Within, err = time.ParseDuration(value)
	case "answer":
		s.Answer = value
	default:
		return fmt.Errorf("%s: not one of in, file, exit, within and answer", word)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", word, err)
	}
	return nil
}
