package param

import (
	"bytes"
	"encoding/xml"
	"io"
	"strings"
)

// Content is the element in an agent's meta-data that says what a parameter holds. OCF and
// FenceAgentAPI have it in common, as they have Text; the elements around them differ.
type Content struct {
	Type    string `xml:"type,attr"`
	Default string `xml:"default,attr,omitempty"`
}

// ContentOf describes a value.
func ContentOf(v Value) Content { return Content{v.Type(), v.String()} }

// Text is a text for people in an agent's meta-data.
type Text struct {
	Lang string `xml:"lang,attr,omitempty"`
	XML  string `xml:",innerxml"`
}

// PlainText is a text without a language, where a format has no place for one.
func PlainText(s string) Text {
	// encoding/xml would also write line ends and quotes as numbers, in a text that people read
	// (crm_resource --show-metadata, stonith_admin --metadata).
	markup := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	return Text{XML: markup.Replace(strings.TrimSpace(s))}
}

// English is a text in English.
func English(s string) Text {
	t := PlainText(s)
	t.Lang = "en"
	return t
}

// WriteMetadata writes an agent's meta-data in one piece, so that nobody reads a half: the head as
// it is, and the document as XML with this indentation.
func WriteMetadata(w io.Writer, head, indent string, doc any) error {
	var b bytes.Buffer
	b.WriteString(head)
	enc := xml.NewEncoder(&b)
	enc.Indent("", indent)
	if err := enc.Encode(doc); err != nil {
		return err
	}
	b.WriteByte('\n')
	_, err := w.Write(b.Bytes())
	return err
}
