package ocf

import (
	"encoding/xml"
	"fmt"
	"io"
	"time"

	"github.com/hawser-ha/hawser/param"
)

// header has no encoding: crmsh 4.4 hands the text to lxml as a string that is decoded already, and
// lxml refuses one that still declares how it is encoded. XML without a declaration is UTF-8.
const header = "<?xml version=\"1.0\"?>\n"

// doctype names a DTD, which ocf-tester validates against: that of OCF 1.0 with what OCF 1.1 added.
// Declarations in the meta-data itself would do as well, but Pacemaker 3.0.0 logs a fatal assertion
// for each of them whenever it reads the meta-data (lib/common/xml.c, new_private_data).
const doctype = "<!DOCTYPE resource-agent SYSTEM \"/usr/share/hawser/ra-api-1.1.dtd\">\n"

// metaData is an agent's meta-data, after OCF 1.1, chapter 3, in the element order that the DTD of
// 1.0 demands.
type metaData struct {
	XMLName xml.Name    `xml:"resource-agent"`
	Name    string      `xml:"name,attr"`
	Version string      `xml:"version,attr"`
	API     string      `xml:"version"`
	Long    param.Text  `xml:"longdesc"`
	Short   param.Text  `xml:"shortdesc"`
	Params  []metaParam `xml:"parameters>parameter"`
	Actions []metaOp    `xml:"actions>action"`
}

type metaParam struct {
	Name        string        `xml:"name,attr"`
	Required    string        `xml:"required,attr,omitempty"`
	Unique      string        `xml:"unique,attr,omitempty"`
	UniqueGroup string        `xml:"unique-group,attr,omitempty"`
	Reloadable  string        `xml:"reloadable,attr,omitempty"`
	Long        param.Text    `xml:"longdesc"`
	Short       param.Text    `xml:"shortdesc"`
	Content     param.Content `xml:"content"`
}

type metaOp struct {
	Name     string `xml:"name,attr"`
	Timeout  string `xml:"timeout,attr"`
	Interval string `xml:"interval,attr,omitempty"`
	Depth    string `xml:"depth,attr,omitempty"`
}

func (a *Agent) writeMetaData(w io.Writer) error {
	doc := metaData{Name: a.Name, Version: a.Version, API: "1.1", Long: param.English(a.Long),
		Short: param.English(a.Short)}
	for _, p := range a.Params {
		doc.Params = append(doc.Params, p.metaData(p.Name, p.Long, len(p.Aliases) == 0))
		for _, alias := range p.Aliases {
			// OCF 1.1 has an element for this, deprecated, that the DTD of 1.0 does not allow: the
			// text says it.
			old := p.metaData(alias,
				fmt.Sprintf("The older name of %s, which is used if both are set.\n\n%s", p.Name,
					p.Long), false)
			old.Short.XML += " (older name of " + p.Name + ")"
			doc.Params = append(doc.Params, old)
		}
	}
	ops := append([]Op(nil), a.Ops...)
	for _, op := range a.Ops {
		if op.Name == "reload-agent" {
			// what OCF 1.0 callers ask for
			ops = append(ops, Op{Name: "reload", Timeout: op.Timeout})
		}
	}
	ops = append(ops, Op{Name: "validate-all", Timeout: a.advertised("validate-all")},
		Op{Name: "meta-data", Timeout: 5 * time.Second})
	for _, op := range ops {
		doc.Actions = append(doc.Actions, op.metaData())
	}

	return param.WriteMetadata(w, header+doctype, "  ", doc)
}

func (p Param) metaData(name, long string, mayBeRequired bool) metaParam {
	m := metaParam{Name: name, Long: param.English(long), Short: param.English(p.Short),
		Content: param.ContentOf(p.Value)}
	// A parameter that an older name may stand for cannot be required under one name: crmsh and pcs
	// refuse what lacks one.
	if p.Required && mayBeRequired {
		m.Required = "1"
	}
	if p.Unique {
		m.Unique, m.UniqueGroup = "1", name
	}
	if p.Reloadable {
		m.Reloadable = "1"
	}
	return m
}

func (o Op) metaData() metaOp {
	m := metaOp{Name: o.Name, Timeout: param.FormatDuration(o.Timeout)}
	if o.Interval > 0 {
		m.Interval = param.FormatDuration(o.Interval)
	}
	if o.Name == "monitor" {
		m.Depth = fmt.Sprint(o.Depth)
	}
	return m
}
