// Package jsonout makes what a program reads of a command: one JSON object, whatever happens. It
// begins with the same three fields for every command, has the command's own report beside them,
// and the error if the command has failed. docs/json.md promises what stays as it is.
//
// It imports exitcode and outcome. Open this file first; failure.go has the error, filled.go keeps
// a list that is empty from being null.
package jsonout

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// SchemaVersion is the version of all objects. Within one, fields are only added.
const SchemaVersion = 1

// Envelope is what every object begins with.
type Envelope struct {
	// SchemaVersion is the version of what commands print. Within one, fields are only added.
	SchemaVersion int `json:"schema_version"`
	// Time is when this was seen.
	Time time.Time `json:"time"`
	// Node is where it was seen: the cluster's name of this node, or the host's name if the cluster
	// was not asked or does not answer.
	Node string `json:"node"`
}

// Ending is what an object ends with.
type Ending struct {
	// Failure is why the command could not do, or could not find out, what it was asked for; missing
	// if it could. What a command has found, such as that a cluster is degraded, is no error.
	Failure *Failure `json:"error,omitempty"`
}

// Document is what is going to be printed.
type Document struct {
	Time time.Time
	Node string
	// Report is the command's own part, a struct or nil. If it has a field time or node of its own,
	// that is the object's.
	Report any
	Ending
}

// Write writes the object at once: whoever reads it has all of it, or an error.
func (d Document) Write(w io.Writer) error {
	text, err := d.text()
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}

func (d Document) text() ([]byte, error) {
	head, err := membersOf(Envelope{SchemaVersion, d.Time, d.Node})
	if err != nil {
		return nil, err
	}
	var report []member
	if d.Report != nil {
		if report, err = membersOf(filled(d.Report)); err != nil {
			return nil, err
		}
	}
	all := head
	for _, m := range report {
		if at := find(head, m.name); at >= 0 {
			all[at].value = m.value
			continue
		}
		all = append(all, m)
	}
	end, err := membersOf(d.Ending)
	if err != nil {
		return nil, err
	}
	return indented(append(all, end...))
}

// member is a field of an object.
type member struct {
	name  string
	value json.RawMessage
}

func find(all []member, name string) int {
	for i, m := range all {
		if m.name == name {
			return i
		}
	}
	return -1
}

// membersOf returns the fields of a value that becomes an object, in their order.
func membersOf(value any) ([]member, error) {
	text, err := marshal(value)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if begin, err := d.Token(); err != nil || begin != json.Delim('{') {
		return nil, fmt.Errorf("%T is no object in JSON", value)
	}
	var all []member
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		m := member{name: fmt.Sprint(name)}
		if err := d.Decode(&m.value); err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

// marshal leaves <, > and & as they are: nobody puts this into a page of HTML as it is.
func marshal(value any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(value)
	return b.Bytes(), err
}

func indented(all []member) ([]byte, error) {
	var flat, b bytes.Buffer
	flat.WriteByte('{')
	for i, m := range all {
		if i > 0 {
			flat.WriteByte(',')
		}
		fmt.Fprintf(&flat, "%q:%s", m.name, m.value)
	}
	flat.WriteByte('}')
	if err := json.Indent(&b, flat.Bytes(), "", "  "); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}
