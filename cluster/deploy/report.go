package deploy

import "github.com/hawser-ha/hawser/crm"

// Report is `hawser plan --json`.
type Report struct {
	Foreseen
	// AgainstASplit is what keeps an address from being held by two nodes.
	AgainstASplit ProtectionReport `json:"against_a_split"`
	// Places says where each address will be; empty if each runs on any node and stays there.
	Places []Place `json:"places"`
}

// Foreseen is what a plan changes and what comes of it.
type Foreseen struct {
	// Changes lists the objects of the configuration that change.
	Changes []ChangeReport `json:"changes"`
	// Actions lists what Pacemaker would do then.
	Actions []ActionReport `json:"actions"`
	// Warnings are what to know before, in sentences.
	Warnings []string `json:"warnings"`
	// Interruptions says what visitors will notice.
	Interruptions []string `json:"interruptions"`
}

// Done says what has become of a plan.
type Done struct {
	// Written says whether the cluster's configuration was written; false as well if there was
	// nothing to write. With an error it is false unless that is certain.
	Written bool `json:"written"`
	// Settled says whether the cluster had nothing left to do at the end: false with --no-wait, if it
	// took too long, and where there was nothing to wait for.
	Settled bool `json:"settled"`
}

// Applied is `hawser apply --json`: the plan, and what has become of it.
type Applied struct {
	Report
	Done
}

// Removed is `hawser destroy --json`: the plan, and what has become of it.
type Removed struct {
	Foreseen
	Done
}

// ProtectionReport is what protects an address, in words.
type ProtectionReport struct {
	// Now is what does at present.
	Now string `json:"now"`
	// Then is what does with the plan.
	Then string `json:"then"`
}

// ChangeAction is what becomes of an object.
type ChangeAction string

// What may become of an object.
const (
	Create ChangeAction = "create"
	Change ChangeAction = "change"
	Delete ChangeAction = "delete"
)

// ChangeReport is one object that changes.
type ChangeReport struct {
	// Action is what becomes of it.
	Action ChangeAction `json:"action"`
	// Kind is crmsh's word for what it is: primitive, clone, property …
	Kind string `json:"kind"`
	// ID is its id.
	ID string `json:"id"`
	// Old is its definition before, in crmsh's language and without secrets.
	Old string `json:"old,omitempty"`
	// New is its definition then, in crmsh's language and without secrets.
	New string `json:"new,omitempty"`
	// Fields lists what differs in an object that is changed.
	Fields []FieldReport `json:"fields"`
}

// FieldReport is a field of an object that changes.
type FieldReport struct {
	// Name is the field's.
	Name string `json:"name"`
	// Old is its value before.
	Old string `json:"old"`
	// New is its value then.
	New string `json:"new"`
}

// ActionReport is one action of the forecast.
type ActionReport struct {
	// Task is Pacemaker's word: start, stop, move, restart, reload, fence …
	Task string `json:"task"`
	// Resource is what it is done to, if that is a resource.
	Resource string `json:"resource,omitempty"`
	// Node is where it is done.
	Node string `json:"node,omitempty"`
	// From is the node that it leaves.
	From string `json:"from,omitempty"`
	// Reason is why, in Pacemaker's words.
	Reason string `json:"reason,omitempty"`
	// Blocked says that Pacemaker would do it and cannot.
	Blocked bool `json:"blocked,omitempty"`
}

// Report is the plan for a program, without secrets.
func (p Plan) Report() Report {
	r := Report{Foreseen: foreseen(p.Changes, p.Forecast, p.Warnings, p.Interruptions())}
	r.AgainstASplit.Now, r.AgainstASplit.Then = p.Protection()
	r.Places = p.Places()
	return r
}

// Report is the plan for a program, without secrets.
func (r Removal) Report() Removed {
	return Removed{Foreseen: foreseen(r.Changes, r.Forecast, r.Warnings, r.Interruptions())}
}

func foreseen(p crm.Plan, f crm.Forecast, warnings, interruptions []string) Foreseen {
	r := Foreseen{
		Changes: []ChangeReport{}, Actions: []ActionReport{},
		Warnings:      append([]string{}, warnings...),
		Interruptions: append([]string{}, interruptions...),
	}
	for _, c := range p.Changes {
		change := ChangeReport{Action: Change, Fields: []FieldReport{}}
		object := c.Object()
		switch {
		case c.Old == nil:
			change.Action = Create
		case c.New == nil:
			change.Action = Delete
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
	for _, a := range f.Actions {
		r.Actions = append(r.Actions, ActionReport(a))
	}
	return r
}
