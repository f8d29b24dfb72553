package faceidtest

// The codes that the fake refuses with (PROTOCOL section 5).
const (
	codeOK          = "0"
	codeBadRequest  = "400100"
	codeBadSign     = "400101"
	codeDead        = "400102"
	codeNoAccess    = "400103"
	codeBadSecret   = "400104"
	codeTooMany     = "400501"
	codeVersion     = "400502"
	codeNoResult    = "66660011"
	codeNotSame     = "66660004"
	codeBadVideo    = "66660016"
	codeInternal    = "999999"
	codeNotInTables = "66669999"
)

// messages have blanks and tails, as the service's have: nobody may compare them.
var messages = map[string]string{
	codeOK:         "请求成功",
	codeBadRequest: "不合法的请求:参数错误 ",
	codeBadSign:    "不合法的请求:签名校验失败(bad sign)",
	codeDead:       " 不合法的请求:ticket或token已失效",
	codeNoAccess:   "无权限访问",
	codeBadSecret:  "secret错误",
	codeTooMany:    "请求过于频繁,请稍后重试 ",
	codeVersion:    "version错误",
	codeNoResult:   "无此查询结果",
	codeNotSame:    "比对结果:非同一人 ",
	codeBadVideo:   "视频不合格",
	codeInternal:   "系统繁忙 (internal)",
}

func message(code string) string {
	if m, ok := messages[code]; ok {
		return m
	}
	return "其他错误 (" + code + ") "
}
