package deploy

import "github.com/hawser-ha/hawser/crm"

// Report is `hawser plan --json`.
type Report struct {
	Changes  []ChangeReport `json:"changes"`
	Actions  []ActionReport `json:"actions"`
	Warnings []string       `json:"warnings"`
	// Interruptions says what visitors will notice.
	Interruptions []string `json:"interruptions"`
	// AgainstASplit is what keeps an address from being held by two nodes.
	AgainstASplit ProtectionReport `json:"against_a_split"`
}

// ProtectionReport is Plan.Protection.
type ProtectionReport struct {
	Now  string `json:"now"`
	Then string `json:"then"` // with the plan
}

// ChangeReport is one object that changes.
type ChangeReport struct {
	Action string        `json:"action"` // create, change, delete
	Kind   string        `json:"kind"`   // primitive, clone, property …
	ID     string        `json:"id"`
	Old    string        `json:"old,omitempty"` // definitions in crmsh's language
	New    string        `json:"new,omitempty"`
	Fields []FieldReport `json:"fields"`
}

// FieldReport is a field of an object that changes.
type FieldReport struct {
	Name string `json:"name"`
	Old  string `json:"old"`
	New  string `json:"new"`
}

// ActionReport is one action of the forecast.
type ActionReport struct {
	Task     string `json:"task"`
	Resource string `json:"resource,omitempty"`
	Node     string `json:"node,omitempty"`
	From     string `json:"from,omitempty"`
	Reason   string `json:"reason,omitempty"`
	Blocked  bool   `json:"blocked,omitempty"`
}

// Report is the plan for a program, without secrets.
func (p Plan) Report() Report {
	r := Report{
		Changes: []ChangeReport{}, Actions: []ActionReport{},
		Warnings:      append([]string{}, p.Warnings...),
		Interruptions: append([]string{}, p.Interruptions()...),
	}
	r.AgainstASplit.Now, r.AgainstASplit.Then = p.Protection()
	for _, c := range p.Changes.Changes {
		change := ChangeReport{Action: "change", Fields: []FieldReport{}}
		object := c.Object()
		switch {
		case c.Old == nil:
			change.Action = "create"
		case c.New == nil:
			change.Action = "delete"
		}
		change.Kind, change.ID = object.Keyword(), object.ID()
		if c.Old != nil {
			change.Old = crm.WithoutSecrets(c.Old).String()
		}
		if c.New != nil {
			change.New = crm.WithoutSecrets(c.New).String()
		}
		for _, f := range c.WithoutSecrets() {
			change.Fields = append(change.Fields, FieldReport(f))
		}
		r.Changes = append(r.Changes, change)
	}
	for _, a := range p.Forecast.Actions {
		r.Actions = append(r.Actions, ActionReport(a))
	}
	return r
}
