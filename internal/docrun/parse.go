package docrun

import (
	"errors"
	"fmt"
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

// Read reads a page. All its faults are reported at once, each with its line.
func Read(path string) (Page, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Page{}, fmt.Errorf("docrun: %w", err)
	}
	return Parse(path, string(text))
}

// Parse reads a page's text.
func Parse(name, text string) (Page, error) {
	p := &parser{page: Page{Name: name}}
	for i, line := range strings.Split(text, "\n") {
		p.line(i+1, strings.TrimSuffix(line, "\r"))
	}
	if p.open != nil {
		p.wrong(p.open.at, "this block does not end: %q is missing", p.open.end)
	}
	p.unrun()
	return p.page, errors.Join(p.faults...)
}

type parser struct {
	page    Page
	section string
	open    *block
	blank   bool // the line before was empty
	faults  []error
}

// block is a fenced block or a comment that is open.
type block struct {
	at     int
	end    string // the line that ends it
	indent string
	info   []string
	hidden bool
	prose  bool // a comment that is not one of ours
	text   []string
}

func (p *parser) wrong(line int, format string, a ...any) {
	p.faults = append(p.faults,
		fmt.Errorf("%s:%d: %w", p.page.Name, line, fmt.Errorf(format, a...)))
}

var fence = regexp.MustCompile("^( {0,3})(```+)([^`]*)$")

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
		ours := len(info) > 0 && slices.Contains([]string{"sh", "lab", "text"}, info[0])
		p.open = &block{at: n, end: "-->", info: info, hidden: true, prose: !ours}
	case strings.HasPrefix(line, "#"):
		p.section = strings.TrimSpace(strings.TrimLeft(line, "#"))
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
		Page: p.page.Name, Line: b.at + 1, Section: p.section, Place: Lab, Text: text,
		Hidden: b.hidden,
	}
	switch b.info[0] {
	case "text":
		p.output(b)
		return
	case "log":
		return
	case "lab":
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
	default:
		p.page.Steps = append(p.page.Steps, s)
	}
}

// output adds the expected output to the command before it.
func (p *parser) output(b *block) {
	steps := p.page.Steps
	if len(steps) == 0 || steps[len(steps)-1].Kind != Script || steps[len(steps)-1].Want != nil ||
		steps[len(steps)-1].Section != p.section {
		p.wrong(b.at,
			"there is no command before this output; an excerpt that is not compared is a block "+
				"of log")
		return
	}
	steps[len(steps)-1].Want = b.text
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
