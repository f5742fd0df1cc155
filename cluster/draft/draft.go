// Package draft writes a hawser.yaml to start from: what was found on a machine and in its cluster as
// keys, what has to be decided as keys that are commented out.
//
// It is pure: host gathers the Facts, Of makes the text of them, which is always a valid hawser.yaml. It
// imports config, contract, preflight, haproxy and leaves of internal. Open this file first; facts.go has
// what may be known, write.go how remarks and keys stand in the file, and each of the others writes a
// section.
package draft

import (
	"fmt"

	"github.com/hawser-ha/hawser/config"
)

// Draft is a hawser.yaml to start from.
type Draft struct {
	YAML []byte
	File *config.File // the same, read
	// Remarks are what to know before it is used, in sentences. They are in the text, too.
	Remarks []string
}

// Report is `hawser init --json`.
type Report struct {
	// YAML is the text of a valid hawser.yaml.
	YAML string `json:"yaml"`
	// Setup is who has made what the cluster runs already.
	Setup Maker `json:"setup"`
	// Next is the command that is right for the cluster as it is.
	Next string `json:"next"`
	// Remarks are what to know before it is used, in sentences.
	Remarks []string `json:"remarks"`
	// Written is the file that was written, "" if none was.
	Written string `json:"written"`
}

// Of makes a hawser.yaml of what is known.
func Of(f Facts) (Draft, error) {
	w := &writer{facts: f}
	found := w.candidates()
	w.remarks = append(w.remarks, f.Cluster.Setup.sentence()...)
	w.remarks = append(w.remarks, w.aboutHAProxy()...)
	w.remarks = append(w.remarks, f.NotSeen...)
	w.head()
	w.sites()
	w.quorum()
	w.fencing()
	w.haproxy()
	w.addresses(found)
	w.groups(found)
	w.resources(found)
	text := []byte(w.String())
	file, err := config.ParseAs("hawser.yaml", text)
	if err != nil { // what was found has a form that nobody expected
		return Draft{}, fmt.Errorf("the draft is no valid hawser.yaml: %w", err)
	}
	return Draft{YAML: text, File: file, Remarks: w.remarks}, nil
}

// Report is the draft for a program.
func (d Draft) Report(f Facts) Report {
	return Report{YAML: string(d.YAML), Setup: f.Cluster.Setup.Maker, Next: f.Cluster.Setup.Next(),
		Remarks: append([]string{}, d.Remarks...)}
}
