package crm

import (
	"context"
	"encoding/xml"
	"fmt"
)

// AgentAction is one operation as an agent advertises it in its meta-data.
type AgentAction struct {
	Name     string `xml:"name,attr"`
	Timeout  string `xml:"timeout,attr"`
	Interval string `xml:"interval,attr"`
	Depth    string `xml:"depth,attr"`
}

// AgentParameter is one parameter as an agent advertises it in its meta-data.
type AgentParameter struct {
	Name     string
	Required bool
	// Group is the set of parameters whose values together must differ from one resource to the
	// next, "" if this one may be the same everywhere.
	Group string
	// Replaced says that there is a newer name for it.
	Replaced bool
	// HasDefault says what the agent does without it.
	HasDefault bool
}

// Metadata is what an agent says of itself, as far as it is of use before its resource is
// configured.
type Metadata struct {
	Parameters []AgentParameter
	Actions    []AgentAction
}

// Advertised asks this node's agent, such as ocf:hawser:haproxy, which operations it has and how
// long they may take.
func (t *Tools) Advertised(ctx context.Context, agent string) ([]AgentAction, error) {
	m, err := t.Metadata(ctx, agent)
	return m.Actions, err
}

// Metadata asks this node's agent for its meta-data.
func (t *Tools) Metadata(ctx context.Context, agent string) (Metadata, error) {
	ctx, cancel := withLimit(ctx)
	defer cancel()
	out, err := t.run(ctx, nil, "crm_resource", "--show-metadata="+agent)
	if err != nil {
		return Metadata{}, err
	}
	if out.code != 0 {
		return Metadata{}, t.toolError("crm_resource", "read the meta-data of the agent "+agent, out)
	}
	return ParseMetadata(out.stdout)
}

// ParseMetadata reads an agent's meta-data, of either version of the schema: in the first, unique
// says of a parameter what unique-group says in the second.
func ParseMetadata(text []byte) (Metadata, error) {
	var read struct {
		Parameters []struct {
			Name       string    `xml:"name,attr"`
			Required   string    `xml:"required,attr"`
			Unique     string    `xml:"unique,attr"`
			Group      string    `xml:"unique-group,attr"`
			Deprecated *struct{} `xml:"deprecated"`
			Old        string    `xml:"deprecated,attr"`
			Content    struct {
				Default *string `xml:"default,attr"`
			} `xml:"content"`
		} `xml:"parameters>parameter"`
		Actions []AgentAction `xml:"actions>action"`
	}
	if err := xml.Unmarshal(text, &read); err != nil {
		return Metadata{}, fmt.Errorf("the agent's meta-data cannot be read: %w", err)
	}
	m := Metadata{Actions: read.Actions}
	for _, p := range read.Parameters {
		group := p.Group
		if group == "" && IsTrue(p.Unique) {
			group = p.Name
		}
		m.Parameters = append(m.Parameters, AgentParameter{
			Name: p.Name, Required: IsTrue(p.Required), Group: group,
			Replaced: p.Deprecated != nil || IsTrue(p.Old), HasDefault: p.Content.Default != nil,
		})
	}
	return m, nil
}
