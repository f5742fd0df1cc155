package manual

import (
	"fmt"
	"strings"

	"github.com/hawser-ha/hawser/ocf"
	"github.com/hawser-ha/hawser/param"
)

// AgentName is the name of an agent's page, as those of resource-agents are called:
// ocf_heartbeat_IPaddr2(7).
func AgentName(provider string, a *ocf.Agent) string { return "ocf_" + provider + "_" + a.Name }

// Agent is the manual page of a resource agent, made from the same declaration as its meta-data.
func Agent(provider string, a *ocf.Agent) string {
	var b strings.Builder
	Header{
		Name: AgentName(provider, a), Section: "7", Short: a.Short, Version: a.Version,
		Part: "OCF resource agents",
	}.write(&b)
	full := "ocf:" + provider + ":" + a.Name
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n.SH DESCRIPTION\n", Escape(full))
	paragraphs(&b, a.Long, ".PP")

	b.WriteString(".SH PARAMETERS\n")
	for _, p := range a.Params {
		fmt.Fprintf(&b, ".TP\n.B %s\n%s (%s).\n", Escape(p.Name), Escape(upperFirst(p.Short)),
			Escape(strings.Join(traits(p), ", ")))
		if p.Long != "" {
			paragraphs(&b, "\n"+p.Long, ".IP")
		}
		for _, alias := range p.Aliases {
			fmt.Fprintf(&b, ".TP\n.B %s\nThe older name of %s, which is used if both are set.\n",
				Escape(alias), Escape(p.Name))
		}
	}

	b.WriteString(".SH OPERATIONS\nThe time\\-outs and intervals to configure:\n")
	for _, op := range a.Ops {
		fmt.Fprintf(&b, ".TP\n.B %s\ntimeout=%s", Escape(op.Name), param.FormatDuration(op.Timeout))
		if op.Interval > 0 {
			fmt.Fprintf(&b, " interval=%s", param.FormatDuration(op.Interval))
		}
		if op.Depth > 0 {
			fmt.Fprintf(&b, " OCF_CHECK_LEVEL=%d", op.Depth)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, ".SH EXAMPLE\n.nf\n%s\n.fi\n", Escape(example(full, a)))
	b.WriteString(".SH SEE ALSO\n.BR hawser (8),\n.BR hawser.yaml (5),\n.BR crm_resource (8),\n" +
		".BR crm_mon (8)\n")
	return b.String()
}

// traits lists the properties of a parameter, each in a word.
func traits(p ocf.Param) []string {
	words := []string{p.Value.Type()}
	switch {
	case p.Required:
		words = append(words, "required")
	case p.Value.String() != "":
		words = append(words, "default "+p.Value.String())
	default:
		words = append(words, "no default")
	}
	if p.Unique {
		words = append(words, "unique")
	}
	if p.Reloadable {
		words = append(words, "a change restarts nothing")
	}
	return words
}

// example is a crmsh statement for the agent, with the required parameters and the advertised
// operations.
func example(full string, a *ocf.Agent) string {
	lines := []string{"crm configure primitive " + a.Name + " " + full}
	for _, p := range a.Params {
		if p.Required {
			lines = append(lines, fmt.Sprintf("params %s=%s", p.Name, strings.ToUpper(p.Name)))
		}
	}
	seen := map[string]bool{}
	for _, op := range a.Ops {
		if (op.Name == "start" || op.Name == "stop" || op.Name == "monitor") && !seen[op.Name] {
			line := "op " + op.Name + " timeout=" + param.FormatDuration(op.Timeout)
			if op.Interval > 0 {
				line += " interval=" + param.FormatDuration(op.Interval)
			}
			lines = append(lines, line)
			seen[op.Name] = true
		}
	}
	return strings.Join(lines, " \\\n    ")
}
