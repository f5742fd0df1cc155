package crm

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
)

// A private node attribute lives in Pacemaker's attribute manager (pacemaker-attrd) on every node,
// and never gets into the CIB: it starts no transition, crm_mon does not show it, and it disappears
// with the node that set it.

// SetPrivate sets a private attribute of this node.
func (t *Tools) SetPrivate(ctx context.Context, name, value string) error {
	ctx, cancel := withLimit(ctx)
	defer cancel()
	out, err := t.run(ctx, nil, "attrd_updater", "--name", name, "--update", value, "--private")
	if err == nil && out.code != 0 {
		err = t.toolError("attrd_updater", "set the node attribute "+name, out)
	}
	return err
}

// noSuchAttribute is attrd_updater's exit code if no node has the attribute (CRM_EX_NOSUCH,
// crm/common/results.h). Pacemaker 2.1.5 exits with 78, and only its text says why.
const noSuchAttribute = 105

// Private returns the attribute's value on each node that has one.
func (t *Tools) Private(ctx context.Context, name string) (map[string]string, error) {
	ctx, cancel := withLimit(ctx)
	defer cancel()
	out, err := t.run(ctx, nil, "attrd_updater", "--name", name, "--query", "--all",
		"--output-as=xml")
	switch {
	case err != nil:
		return nil, err
	case out.code == noSuchAttribute,
		out.code != 0 && bytes.Contains(out.stdout, []byte("attribute does not exist")):
		return map[string]string{}, nil
	case out.code != 0:
		return nil, t.toolError("attrd_updater", "read the node attribute "+name, out)
	}
	return parsePrivate(out.stdout)
}

func parsePrivate(text []byte) (map[string]string, error) {
	var answer struct {
		Attributes []struct {
			Host  string `xml:"host,attr"`
			Value string `xml:"value,attr"`
		} `xml:"attribute"`
	}
	if err := xml.Unmarshal(text, &answer); err != nil {
		return nil, fmt.Errorf("attrd_updater's answer is not understood: %w", err)
	}
	values := map[string]string{}
	for _, a := range answer.Attributes {
		if a.Host != "" && a.Value != "" && a.Value != "(null)" {
			values[a.Host] = a.Value
		}
	}
	return values, nil
}
