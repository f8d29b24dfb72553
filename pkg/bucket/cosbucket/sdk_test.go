package cosbucket

import cos "github.com/tencentyun/cos-go-sdk-v5"

// The SDK's types that tests make answers of.
type (
	sdkResponse = cos.Response
	sdkList     = cos.BucketGetResult
	sdkObject   = cos.Object
)
