package manual

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/ocf"
	"github.com/hawser-ha/hawser/param"
)

func TestAgent(t *testing.T) {
	var ip, token string
	page := Agent("hawser", &ocf.Agent{Name: "toy", Version: "1.2.3", Short: "a toy", Long: "Plays.\n\n.and 'so' on",
		Params: []ocf.Param{
			{Name: "ip", Aliases: []string{"old_ip"}, Required: true, Unique: true, Short: "address", Long: "The address.", Value: param.String(&ip, "")},
			{Name: "token", Reloadable: true, Short: "a word", Value: param.String(&token, "none")},
		},
		Ops: []ocf.Op{{Name: "start", Timeout: 30 * time.Second}, {Name: "monitor", Timeout: 20 * time.Second, Interval: 10 * time.Second, Depth: 10}},
	})
	for _, want := range []string{
		".TH OCF_HAWSER_TOY 7 \"\" \"hawser 1.2.3\"", "ocf_hawser_toy \\- a toy", "Plays.\n.PP\n\\&.and 'so' on\n",
		".B ip\nAddress (string, required, unique).\nThe address.\n", ".B old_ip\nThe older name of ip", ".B token\nA word (string, default none, a change restarts nothing).\n",
		".B monitor\ntimeout=20s interval=10s OCF_CHECK_LEVEL=10\n",
		"crm configure primitive toy ocf:hawser:toy \\e\n    params ip=IP \\e\n    op start timeout=30s \\e\n    op monitor timeout=20s interval=10s\n",
	} {
		require.Contains(t, page, want)
	}
}

func TestApp(t *testing.T) {
	page := App(&cli.App{Name: "toy", Version: "1", Usage: "plays", Description: "For a while.", Commands: []*cli.Command{
		{Name: "run", Usage: "start it", Flags: []cli.Flag{&cli.StringFlag{Name: "file", Aliases: []string{"f"}, Usage: "read `FILE`"}, &cli.BoolFlag{Name: "now", Usage: "at once"}}},
		{Name: "inner", Hidden: true},
	}}, "Games", Section{Title: "EXIT STATUS", Text: "0  done"},
		Section{Title: "SEE ALSO", Prose: true, Text: "One\ntwo.\n\nThree:\n\n  .four\n  five\n\nsix"})
	for _, want := range []string{".TH TOY 8 \"\" \"hawser 1\" \"Games\"", ".SS toy run\n.B toy run [\\-f FILE] [\\-\\-now]\n.PP\nStart it.\n",
		".B \\-f, \\-\\-file FILE\nread FILE\n", ".SH EXIT STATUS\n.nf\n0  done\n.fi\n",
		".SH SEE ALSO\nOne\ntwo.\n.PP\nThree:\n.PP\n.nf\n  .four\n  five\n\n.fi\nsix\n"} {
		require.Contains(t, page, want)
	}
	require.NotContains(t, page, "inner")
}

func TestMarkdown(t *testing.T) {
	page := Markdown(Header{Name: "toy-games", Section: "7", Short: "games", Version: "1"}, "# Games\n\nPlay `toy --now`, **and\n"+
		".never** \\ [stop](rules.md); see [the `site`](https://toy.example/).\n<!-- hidden\nwords -->\n"+
		"\n## How to `play`\n\n```sh lb-1 exit=8\n.run \\\n  -x\n```\n\n    indented\n\n    again\nText.\n\n- one\n  more\n- two\n\n1. first\n\nEnd.\n\n"+
		"| look | fix | |\n|---|---|---|\n| `a\\|b` **c** | do *it* | x |\n| | y | |\n",
		Section{Title: "SEE ALSO", Text: "toy(8)"})
	for _, want := range []string{
		".TH TOY\\-GAMES 7", "toy\\-games \\- games\n.SH DESCRIPTION\n.PP\nPlay \\fBtoy \\-\\-now\\fR, \\fBand\n\\&.never\\fR \\e stop; see the \\fBsite\\fR <https://toy.example/>.\n",
		".SH How to \\fBplay\\fR\n.PP\n.in 0\n.nf\n\\&.run \\e\n  \\-x\n.fi\n.in\n",
		".PP\n.in 0\n.nf\nindented\n\nagain\n.fi\n.in\nText.\n",
		".IP \\(bu 4\none\nmore\n.IP \\(bu 4\ntwo\n.IP 1. 4\nfirst\n.PP\nEnd.\n",
		".PP\n\\fB\\fBa|b\\fB c\\fR\n.RS 4\n\\fIfix\\fR: do \\fIit\\fR\n.br\nx\n.RE\n",
		".PP\n\\fB(the same)\\fR\n.RS 4\n\\fIfix\\fR: y\n.RE\n",
		".SH SEE ALSO\n.nf\ntoy(8)\n.fi\n",
	} {
		require.Contains(t, page, want)
	}
	require.NotContains(t, page, "hidden")
	require.NotContains(t, page, "look")
}
