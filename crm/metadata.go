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

// Advertised asks this node's agent, such as ocf:hawser:haproxy, which operations it has and how
// long they may take.
func (t *Tools) Advertised(ctx context.Context, agent string) ([]AgentAction, error) {
	ctx, cancel := withLimit(ctx)
	defer cancel()
	out, err := t.run(ctx, nil, "crm_resource", "--show-metadata="+agent)
	if err != nil {
		return nil, err
	}
	if out.code != 0 {
		return nil, t.toolError("crm_resource", "read the meta-data of the agent "+agent, out)
	}
	return ParseAdvertised(out.stdout)
}

// ParseAdvertised reads the operations out of an agent's meta-data.
func ParseAdvertised(metadata []byte) ([]AgentAction, error) {
	var m struct {
		Actions []AgentAction `xml:"actions>action"`
	}
	if err := xml.Unmarshal(metadata, &m); err != nil {
		return nil, fmt.Errorf("the agent's meta-data cannot be read: %w", err)
	}
	return m.Actions, nil
}
