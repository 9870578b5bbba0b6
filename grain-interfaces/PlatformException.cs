namespace VoiceGrains.GrainInterfaces;

/// <summary>A refusal with a stable code, the same for REST, gRPC and webhooks. The detail is fit for the client to read.</summary>
public sealed class PlatformException(ErrorCode code, string detail) : Exception(detail)
{
    public ErrorCode Code => code;

    /// <summary>What a conditional write is told that comes too late.</summary>
    public static PlatformException Changed() => new(ErrorCode.PreconditionFailed, "It has been changed meanwhile. Read it again.");

    /// <summary>Sent as <c>Retry-After</c> where set.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
