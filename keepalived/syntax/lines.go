package syntax

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// line is what is left of a line, or of a part of one.
type line struct {
	Pos
	text string
}

// feed is where lines come from: a file, a sequence, a definition of several lines, or what was
// behind a brace. The one that was begun last is read first.
type feed interface {
	next(r *reader) (l line, ok bool)
}

// reader makes the lines that are parsed: one for each brace, and one for what is between them.
type reader struct {
	Options
	config   *Config
	feeds    []feed
	defs     map[string]*definition
	reading  []string // files that are being read
	files    int
	bytes    int64
	lines    int
	made     int // of them, those that are in no file
	defining *definition
}

func newReader(o Options) *reader {
	return &reader{Options: o, config: &Config{}, defs: predefined()}
}

func (r *reader) notice(at Pos, kind Kind, format string, args ...any) {
	if len(r.config.Notices) < maxNotices {
		r.config.Notices = append(r.config.Notices,
			Notice{at, kind, fmt.Sprintf(format, args...)})
	}
}

func (r *reader) push(f feed) { r.feeds = append(r.feeds, f) }

// raw returns the next line of whatever feeds the reader.
func (r *reader) raw() (line, bool, error) {
	for len(r.feeds) > 0 {
		top := len(r.feeds) - 1
		if all, ok := r.feeds[top].(*matched); ok && len(all.paths) > 0 {
			path := all.paths[0]
			all.paths = all.paths[1:]
			if err := r.open(path); err != nil {
				return line{}, false, all.blame(err)
			}
			continue
		}
		l, ok := r.feeds[top].next(r)
		_, file := r.feeds[top].(*fileFeed)
		if ok {
			if _, rest := r.feeds[top].(*residue); !file && !rest {
				r.made++
			}
			return l, true, nil
		}
		if file {
			r.reading = r.reading[:len(r.reading)-1]
		}
		r.feeds = slices.Delete(r.feeds, top, top+1)
	}
	return line{}, false, nil
}

// next returns the next line that is not empty, and false at the end of all files.
func (r *reader) next() (line, bool, error) {
	for {
		l, ok, err := r.raw()
		if !ok {
			return line{}, false, err
		}
		if r.lines++; r.lines > maxLines {
			return line{}, false, &Fault{l.Pos, fmt.Sprintf("the files have more than %d "+
				"lines", maxLines)}
		}
		if r.made > maxMade {
			return line{}, false, &Fault{l.Pos, fmt.Sprintf("sequences and definitions lead to more "+
				"than %d lines", maxMade)}
		}
		if r.defining != nil {
			r.define(l)
			continue
		}
		if l.text == "" {
			continue
		}
		if l, err = r.expand(l); err != nil {
			return line{}, false, err
		}
		if l.text == "" {
			continue
		}
		if included, err := r.include(l); included || err != nil {
			if err != nil {
				return line{}, false, err
			}
			continue
		}
		if err := template(l); err != nil {
			return line{}, false, err
		}
		first, rest := splitBrace(l.text)
		if rest != "" {
			r.push(&residue{line{l.Pos, rest}, false})
		}
		if first = strings.TrimRight(first, blanks); first != "" {
			return line{l.Pos, first}, true, nil
		}
	}
}

// expand has the conditions, definitions, sequences and substitutions of a line done. What is left is
// "" if that was all of it.
func (r *reader) expand(l line) (line, error) {
	for range maxSteps {
		if strings.HasPrefix(l.text, "@") {
			l.text = r.condition(l)
		}
		if l.text == "" || r.startDefinition(l) {
			return line{}, nil
		}
		if strings.HasPrefix(l.text, "~SEQ") || strings.HasPrefix(l.text, "~LST") {
			return line{}, r.sequence(l)
		}
		if strings.HasPrefix(l.text, "~") || !strings.Contains(l.text, "$") {
			return l, nil
		}
		text, changed, err := r.substitute(l)
		if err != nil || !changed {
			return l, err
		}
		l.text, _ = decomment(text)
		if l.text == "" || !strings.HasPrefix(l.text, "@") && !strings.Contains(l.text, "$") &&
			!strings.HasPrefix(l.text, "~") {
			return l, nil
		}
	}
	return line{}, &Fault{l.Pos, "a definition in it is defined by itself"}
}

// condition returns what is behind @id, or "" if the line is another node's.
func (r *reader) condition(l line) string {
	r.config.Conditional = true
	id, rest, ok := cutBlank(l.text[1:])
	if !ok {
		return ""
	}
	not := strings.HasPrefix(id, "^")
	id = strings.TrimPrefix(id, "^")
	if !slices.Contains(r.config.IDs, id) && id != "" && len(r.config.IDs) < maxFiles {
		r.config.IDs = append(r.config.IDs, id)
	}
	label, _, _ := strings.Cut(r.Node, ".")
	if ours := r.Node != "" && (id == r.Node || id == label); ours == not {
		return ""
	}
	return rest
}

// template refuses what another program makes a configuration of.
func template(l line) error {
	for _, part := range unquoted(l.text) {
		for _, mark := range []string{"{{", "{%", "<%"} {
			if strings.Contains(part, mark) {
				return &Fault{l.Pos, fmt.Sprintf("%q: the file is a template: expected the "+
					"keepalived.conf that was made of it, from a node", mark)}
			}
		}
		if _, after, ok := strings.Cut(part, "${"); ok {
			name, _, _ := strings.Cut(after, "}")
			return &Fault{l.Pos, fmt.Sprintf("${%s} is not defined by $%s=… above: expected its "+
				"value, "+
				"or the file that was made of this one, from a node", brief(name), brief(name))}
		}
	}
	return nil
}

func brief(text string) string {
	if len(text) > 40 {
		return strings.ToValidUTF8(text[:40], "") + "…"
	}
	return text
}

// residue is what was behind a brace.
type residue struct {
	line
	done bool
}

func (f *residue) next(*reader) (line, bool) {
	if f.done {
		return line{}, false
	}
	f.done = true
	return f.line, true
}

// fileFeed is a file that is being read.
type fileFeed struct {
	path  string
	lines []string // as they are in the file
	at    int
	pure  []string // without comments
}

func (f *fileFeed) next(r *reader) (line, bool) {
	for f.at < len(f.lines) {
		f.at++
		pos := Pos{f.path, f.at}
		if f.lines[f.at-1] == "" {
			r.defining = nil // an empty line ends a definition, one with a comment does not
			continue
		}
		text := f.pure[f.at-1]
		if text != "" {
			return line{pos, text}, true
		}
	}
	return line{}, false
}

// open begins to read a file.
func (r *reader) open(path string) error {
	at := Pos{File: path}
	switch {
	case slices.Contains(r.reading, path):
		return &Fault{at, "it includes itself"}
	case len(r.reading) >= maxDepth:
		return &Fault{at, fmt.Sprintf("files include each other more than %d deep", maxDepth)}
	case r.files >= maxFiles:
		return &Fault{at, fmt.Sprintf("more than %d files are included", maxFiles)}
	}
	text, executable, err := r.Files.Read(path, maxBytes-r.bytes)
	if err != nil {
		return &Fault{at, fmt.Sprintf("cannot be read: %v: expected a keepalived.conf", err)}
	}
	r.files++
	r.bytes += int64(len(text))
	lines, err := physicalLines(at, text)
	if err != nil {
		return err
	}
	if executable {
		r.notice(at, Executable, "somebody may execute it, so keepalived passes over the whole file")
	}
	f := &fileFeed{path: path, lines: lines, pure: make([]string, len(lines))}
	for i, text := range lines {
		at.Line = i + 1
		var open bool
		f.pure[i], open = decomment(text)
		if open {
			r.notice(at, Quote, "a quote has no end in this line")
		}
		switch {
		case len(text) <= longest:
		case len(f.pure[i]) <= longest:
			r.notice(at, LongLine, "keepalived 2.2 breaks lines after %d bytes, in comments too",
				longest)
		default:
			return &Fault{at, fmt.Sprintf("the line has %d bytes: keepalived breaks it after %d",
				len(text), longest)}
		}
	}
	if !slices.ContainsFunc(r.config.Sources, func(s *Source) bool { return s.Path == path }) {
		source := &Source{path, make([]string, len(lines))}
		for i, text := range lines {
			source.Lines[i] = indentation(text) + f.pure[i]
		}
		r.config.Sources = append(r.config.Sources, source)
	}
	r.push(f)
	r.reading = append(r.reading, path)
	return nil
}

// include begins to read the files that a line includes, if it does.
func (r *reader) include(l line) (bool, error) {
	rest, ok := strings.CutPrefix(l.text, "include")
	if !ok || rest == "" {
		return false, nil
	}
	if strings.ContainsRune("rmwba", rune(rest[0])) {
		rest = rest[1:]
	}
	if rest == "" || !strings.ContainsRune(blanks+"\v\f", rune(rest[0])) {
		return false, nil
	}
	pattern := strings.Trim(rest, blanks)
	if pattern == "" {
		r.notice(l.Pos, Missing, "include names no file")
		return true, nil
	}
	full := pattern
	if !filepath.IsAbs(full) {
		full = filepath.Join(filepath.Dir(l.File), full)
	}
	patterns, err := braces(full)
	if err != nil {
		return true, &Fault{l.Pos, err.Error()}
	}
	var found []string
	for _, p := range patterns {
		matched, err := r.Files.Match(p)
		if err != nil {
			return true, &Fault{l.Pos, fmt.Sprintf("include %s: %v", pattern, err)}
		}
		found = append(found, matched...)
	}
	switch wild := strings.ContainsAny(pattern, "*?["); {
	case len(found) > 0:
	case wild && filepath.IsAbs(pattern):
		r.notice(l.Pos, Absolute, "nothing matches %s on this machine: if the node has such "+
			"files, import there",
			pattern)
	case wild:
		r.notice(l.Pos, Included, "nothing matches %s", pattern)
	default:
		r.notice(l.Pos, Missing, "no file is there for %s: what keepalived reads in it is missing here",
			pattern)
	}
	r.push(&matched{l.Pos, pattern, found})
	for _, path := range found {
		if filepath.IsAbs(pattern) {
			r.notice(l.Pos, Absolute, "%s was read on this machine: if it is not the node's own, "+
				"import there",
				path)
			continue
		}
		r.notice(l.Pos, Included, "%s was read", path)
	}
	return true, nil
}

// matched are the files of an include that are not read yet.
type matched struct {
	at      Pos
	pattern string
	paths   []string
}

func (*matched) next(*reader) (line, bool) { return line{}, false }

// blame says which include has led to what is wrong with a file as a whole.
func (m *matched) blame(err error) error {
	var fault *Fault
	if errors.As(err, &fault) && fault.Line == 0 {
		return &Fault{m.at, fmt.Sprintf("include %s: %s: %s", m.pattern, fault.File, fault.Message)}
	}
	return err
}
