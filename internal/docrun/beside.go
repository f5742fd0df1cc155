package docrun

import "slices"

// heading begins a section. In the file of steps it names one of the page, at whose beginning the
// next steps are done.
func (p *parser) heading(n int, title string) {
	p.section, p.after = title, 0
	if p.of == nil {
		p.pieces = append(p.pieces, piece{section: title})
		return
	}
	p.after = slices.IndexFunc(p.of.pieces,
		func(of piece) bool { return of.step == nil && of.section == title })
	if p.after < 0 {
		p.wrong(n, "%s has no section %q", p.of.name, title)
	}
}

// follow has the next steps done after the next block of the section that begins with the line.
func (p *parser) follow(n int, line string) {
	for i := p.after + 1; i > 0 && i < len(p.of.pieces); i++ {
		of := p.of.pieces[i]
		if of.section != p.section {
			break
		}
		if of.step != nil && firstLine(of.step.Text) == line {
			p.after = i
			return
		}
	}
	p.wrong(n, "no further block of the section %q of %s begins with `%s`", p.section, p.of.name,
		line)
}

// with returns the page's steps and those beside it, in the order in which they are done.
func (p *parser) with(beside []piece) []Step {
	var all []Step
	for i, of := range p.pieces {
		if of.step != nil {
			all = append(all, *of.step)
		}
		for _, b := range beside {
			if b.after == i {
				all = append(all, *b.step)
			}
		}
	}
	return all
}
