using Npgsql;
using Orleans.Runtime;
using Orleans.Storage;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainRuntime;
using VoiceGrains.Grains.Storage;

namespace VoiceGrains.Gateway.Errors;

/// <summary>Tells failures of servers behind this one, which pass, from faults of the request and from bugs.</summary>
internal static class Outage
{
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(2);

    /// <summary>What clients of both APIs are told; null when the failure is something else.</summary>
    public static PlatformException? From(Exception exception) => exception switch
    {
        NpgsqlException failure when IsAway(failure) => DatabaseWatch.Unavailable(),
        RemoteGrainException remote when IsAway(remote) => DatabaseWatch.Unavailable(),
        OrleansMessageRejectionException or LimitExceededException => Unavailable("No server can take the request now."),
        InconsistentStateException => Unavailable("What the request is about moved to another server meanwhile."),
        TimeoutException or OperationCanceledException => Unavailable("The request was not answered in time; whether it was done is not known."),
        _ => null,
    };

    private static PlatformException Unavailable(string detail) => new(ErrorCode.SiloUnavailable, detail) { RetryAfter = Retry };

    private static bool IsAway(NpgsqlException failure) => failure is not PostgresException refused || IsAway(refused.SqlState);

    /// <summary>The driver's exceptions arrive from other processes by name and message, which begins with the state.</summary>
    private static bool IsAway(RemoteGrainException remote) => remote.TypeName == typeof(NpgsqlException).FullName
        || remote.TypeName == typeof(PostgresException).FullName && remote.Message[(remote.TypeName.Length + 2)..] is { Length: >= 5 } text && IsAway(text[..5]);

    /// <summary>
    /// Connections, transactions that lost against another, resources, a server that starts or stops, I/O; and 25006, a primary that has become a standby
    /// (PostgreSQL appendix A).
    /// </summary>
    private static bool IsAway(string sqlState) => sqlState[..2] is "08" or "40" or "53" or "57" or "58" || sqlState == PostgresErrorCodes.ReadOnlySqlTransaction;
}
