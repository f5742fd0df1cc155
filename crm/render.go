package crm

import (
	"bytes"

	"github.com/beevik/etree"
)

// render is the CIB without its status. Each element begins a line, since crm_verify's complaints
// name lines.
func (c *CIB) render() []byte {
	var w lineWriter
	w.element(c.root, "\n")
	w.WriteByte('\n')
	return w.Bytes()
}

// asRead is the CIB without its status, in any layout: as it was read, if it was read.
func (c *CIB) asRead() []byte {
	if c.text != nil {
		return c.text
	}
	return c.render()
}

// lineWriter writes elements in the layout of etree's Document.Indent(2). That method changes the
// document, so the whole configuration would have to be copied first.
type lineWriter struct {
	bytes.Buffer
	settings etree.WriteSettings
}

// element writes an element whose line has been begun with what is in line.
func (w *lineWriter) element(el *etree.Element, line string) {
	w.WriteByte('<')
	w.WriteString(el.FullTag())
	for i := range el.Attr {
		w.WriteByte(' ')
		el.Attr[i].WriteTo(w, &w.settings)
	}
	if len(el.Child) == 0 {
		w.WriteString("/>")
		return
	}
	w.WriteByte('>')
	inside, text := line+"  ", false
	for _, child := range el.Child {
		if _, text = child.(*etree.CharData); !text {
			w.WriteString(inside)
		}
		if inner, ok := child.(*etree.Element); ok {
			w.element(inner, inside)
		} else {
			child.WriteTo(w, &w.settings)
		}
	}
	if !text {
		w.WriteString(line)
	}
	w.WriteString("</")
	w.WriteString(el.FullTag())
	w.WriteByte('>')
}
