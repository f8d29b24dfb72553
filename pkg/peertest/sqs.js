// Starts local-aws-sqs on the port given.
const { createSqsServer } = require("local-aws-sqs");
createSqsServer({ port: Number(process.argv[2]), hostname: "127.0.0.1" }).catch((err) => {
  console.error(err);
  process.exit(1);
});
