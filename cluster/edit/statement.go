package edit

// Statement is a keyword of crmsh's configuration language that creates or changes one thing.
type Statement struct {
	// Keyword begins it, Usage says in a few words what it does, Grammar what follows the keyword.
	Keyword, Usage, Grammar string
	// Aliases are further words that crmsh has for it.
	Aliases []string
	// Judged says that an Editor refuses what nobody can have meant.
	Judged bool
}

// Statements are all of them.
func Statements() []Statement {
	all := []Statement{
		{
			Keyword: "primitive", Usage: "define a resource",
			Grammar: "ID CLASS:[PROVIDER:]TYPE [params NAME=VALUE…] [meta NAME=VALUE…] [utilization " +
				"NAME=VALUE…] [op NAME [NAME=VALUE…]]…",
		},
		{
			Keyword: "clone", Usage: "run a resource or group on every node",
			Grammar: "ID RESOURCE [meta NAME=VALUE…] [params NAME=VALUE…]",
		},
		{
			Keyword: "group", Usage: "run resources together, in order",
			Grammar: "ID RESOURCE… [meta NAME=VALUE…] [params NAME=VALUE…]",
		},
		{
			Keyword: "colocation", Usage: "place resources together or apart",
			Grammar: "ID SCORE: RESOURCE[:ROLE] WITH[:ROLE]",
		},
		{
			Keyword: "order", Usage: "start resources in order",
			Grammar: "ID [KIND:] FIRST[:ACTION] THEN[:ACTION] [symmetrical=BOOL]",
		},
		{
			Keyword: "location", Usage: "let a resource prefer or avoid a node",
			Grammar: "ID RESOURCE SCORE: NODE",
		},
		{
			Keyword: "property", Usage: "set options of the cluster",
			Grammar: "NAME=VALUE…",
		},
		{
			Keyword: "rsc_defaults", Usage: "set defaults of all resources",
			Grammar: "NAME=VALUE…",
		},
		{
			Keyword: "op_defaults", Usage: "set defaults of all operations",
			Grammar: "NAME=VALUE…",
		},
		{
			Keyword: "tag", Usage: "name a set of objects",
			Grammar: "ID: OBJECT…",
		},
		{
			Keyword: "monitor", Usage: "add a monitor to a resource",
			Grammar: "RESOURCE[:ROLE] INTERVAL[:TIMEOUT]",
		},
		{
			Keyword: "ms", Usage: "run a resource on every node and promote some of its instances",
			Grammar: "ID RESOURCE [meta NAME=VALUE…] [params NAME=VALUE…]",
		},
		{
			Keyword: "node", Usage: "set attributes of a node",
			Grammar: "[ID:] NAME[:TYPE] [attributes NAME=VALUE…] [utilization NAME=VALUE…]",
		},
		{
			Keyword: "rsc_template", Usage: "define what resources have in common",
			Grammar: "ID CLASS:[PROVIDER:]TYPE [params NAME=VALUE…] [meta NAME=VALUE…] [utilization " +
				"NAME=VALUE…] [op NAME [NAME=VALUE…]]…",
		},
		{
			Keyword: "rsc_ticket", Usage: "let resources run only where a ticket is granted",
			Grammar: "ID TICKET: RESOURCE[:ROLE]… [loss-policy=stop|demote|fence|freeze]",
		},
		{
			Keyword: "fencing_topology", Usage: "say which devices fence which nodes, in which order",
			Grammar: "[NODE:|pattern:REGEX|attr:NAME=VALUE] DEVICE[,DEVICE…]…",
		},
		{
			Keyword: "alert", Usage: "have a program told of events",
			Grammar: "ID PATH [attributes NAME=VALUE…] [meta NAME=VALUE…] [select KIND…] [to RECIPIENT]…",
		},
		{
			Keyword: "role", Usage: "define what users may read and write",
			Grammar: "ID {read|write|deny} SPEC:VALUE…",
		},
		{
			Keyword: "acl_target", Usage: "give a user roles",
			Grammar: "USER ROLE…",
		},
		{
			Keyword: "acl_group", Usage: "give the users of a system group roles",
			Grammar: "GROUP ROLE…",
		},
		{
			Keyword: "xml", Usage: "write an object of any kind",
			Grammar: "'<ELEMENT …>'",
		},
	}
	for i := range all {
		switch s := &all[i]; s.Keyword {
		case "primitive", "property":
			s.Judged = true
		case "colocation":
			s.Aliases = []string{"collocation"}
		case "ms":
			s.Aliases = []string{"master"}
		}
	}
	return all
}
