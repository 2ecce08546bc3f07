/**
 * Creates constructs without the complete stack trace that CDKTF keeps of each computed attribute, for the message about
 * one that it cannot resolve: a sixth of the time of a thousand hosts. CDKTF alone asks for complete ones.
 */
export function withoutCreationStacks<Value>(create: () => Value): Value {
  const { captureStackTrace } = Error;
  Error.captureStackTrace = (target, below) => {
    if (Error.stackTraceLimit !== Number.MAX_SAFE_INTEGER) captureStackTrace(target, below);
  };
  try {
    return create();
  } finally {
    Error.captureStackTrace = captureStackTrace;
  }
}
