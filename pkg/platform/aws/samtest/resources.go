package samtest

import (
	"fmt"
	"regexp"
	"strings"
)

// function is the type of a function, before SAM makes several resources of it.
const function = "AWS::Serverless::Function"

// pseudo are CloudFormation's pseudo parameters.
var pseudo = map[string]string{
	"AWS::StackName": StackName, "AWS::Region": Region, "AWS::AccountId": Account, "AWS::Partition": Partition,
}

// ref is what Ref gives: a parameter's value, or a resource's name.
func (r *resolver) ref(name string) (any, error) {
	if name == "AWS::NoValue" {
		return noValue{}, nil
	}
	if v, ok := r.parameters[name]; ok {
		return v, nil
	}
	if v, ok := pseudo[name]; ok {
		return v, nil
	}
	physical := StackName + "-" + name
	switch text(At(r.root, "Resources", name, "Type")) {
	case "":
		return nil, fmt.Errorf("nothing is called %s", name)
	case "AWS::SQS::Queue":
		return "https://sqs." + Region + ".amazonaws.com/" + Account + "/" + physical, nil
	case "AWS::S3::Bucket":
		return r.value(At(r.root, "Resources", name, "Properties", "BucketName"))
	case "AWS::Logs::LogGroup":
		return r.value(At(r.root, "Resources", name, "Properties", "LogGroupName"))
	}
	return physical, nil
}

// attribute is what Fn::GetAtt gives.
func (r *resolver) attribute(name, attribute string) (string, error) {
	// SAM makes <function>Url of a function's FunctionUrlConfig.
	if owner, ok := strings.CutSuffix(name, "Url"); ok && attribute == "FunctionUrl" &&
		At(r.root, "Resources", owner, "Properties", "FunctionUrlConfig") != nil {
		return "https://url-id.lambda-url." + Region + ".on.aws/", nil
	}
	kind := text(At(r.root, "Resources", name, "Type"))
	physical, account := StackName+"-"+name, Region+":"+Account
	arn := map[string]string{
		"AWS::SQS::Queue": "sqs:" + account + ":" + physical,
		function:          "lambda:" + account + ":function:" + physical,
		"AWS::IAM::Role":  "iam::" + Account + ":role/" + physical,
	}
	switch {
	case kind == "AWS::SQS::Queue" && attribute == "QueueName":
		return physical, nil
	case attribute == "Arn" && kind == "AWS::Logs::LogGroup":
		group, err := r.ref(name)
		return "arn:" + Partition + ":logs:" + account + ":log-group:" + text(group) + ":*", err
	case attribute == "Arn" && arn[kind] != "":
		return "arn:" + Partition + ":" + arn[kind], nil
	}
	return "", fmt.Errorf("%s.%s is not understood here", name, attribute)
}

// Functions gives the logical ids of the functions.
func (s *Stack) Functions() []string { return s.ofType(function) }

// secretForm is a dynamic reference ("Get a secret or secret value from Secrets Manager"): name or ARN, JSON key, no stage,
// version.
var secretForm = regexp.MustCompile(`^\{\{resolve:secretsmanager:[^{}]+:SecretString:([A-Z_]+)::([^:{}]*)\}\}$`)

// Environment gives a function's variables, with the secrets' values in them.
func (s *Stack) Environment(function string) (map[string]string, error) {
	variables, _ := At(s.Resources[function].Properties, "Environment", "Variables").(map[string]any)
	if len(variables) == 0 {
		return nil, fmt.Errorf("there is no function %s with an environment", function)
	}
	env := make(map[string]string, len(variables))
	for name, v := range variables {
		value := text(v)
		if strings.Contains(value, "{{") {
			m := secretForm.FindStringSubmatch(value)
			if m == nil {
				return nil, fmt.Errorf("%s of %s: a dynamic reference that is not understood here", name, function)
			}
			var ok bool
			if value, ok = s.secrets[m[1]]; !ok {
				return nil, fmt.Errorf("%s of %s: the secret has no %s", name, function, m[1])
			}
		}
		env[name] = value
	}
	return env, nil
}
