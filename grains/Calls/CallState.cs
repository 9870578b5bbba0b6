using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Calls;

/// <summary>What of a call must survive, and the rules of its life. No clock and no I/O of its own.</summary>
internal sealed class CallState
{
    /// <summary>Granularity of billing (docs: call billing).</summary>
    private static readonly TimeSpan BillingUnit = TimeSpan.FromSeconds(6);

    /// <summary>Null only before the call was created.</summary>
    public CallSettings? Settings { get; set; }

    /// <summary>SHA-256 of the join token. Kept after its use, so that a late client is told so and a stranger is not.</summary>
    public byte[]? JoinTokenHash { get; set; }

    /// <summary>In the order they were entered; the first is the call's own.</summary>
    public List<StageSettings> Stages { get; set; } = [];

    public DateTimeOffset? Joined { get; set; }
    public DateTimeOffset? Ended { get; set; }
    public EndReason? EndReason { get; set; }
    public string? ClientVersion { get; set; }

    /// <summary>Errors of the last stage, as the conversation counted them.</summary>
    public int ErrorCount { get; set; }

    public SummaryStatus SummaryStatus { get; set; }
    public int SummaryAttempts { get; set; }
    public string? ShortSummary { get; set; }
    public string? Summary { get; set; }

    public DateTimeOffset JoinDeadline => Settings!.Created + Settings.JoinTimeout;

    public bool IsLive => Joined is not null && Ended is null;

    /// <summary>Whether anything is left to do: waiting for the client, talking, or owing a summary.</summary>
    public bool IsUnfinished => Ended is null || SummaryStatus == SummaryStatus.Pending;

    public void Create(CallSettings settings, byte[] joinTokenHash)
    {
        Settings = settings;
        JoinTokenHash = joinTokenHash;
        Stages = [settings.FirstStage];
    }

    /// <summary>Uses up the join token. A wrong token is refused alike whatever the call's state.</summary>
    public JoinResult TryJoin(string token, string? clientVersion, DateTimeOffset now)
    {
        if (JoinTokenHash is null || !JoinToken.Matches(token, JoinTokenHash)) return JoinResult.Refused;
        if (Joined is not null || Ended is not null || now >= JoinDeadline) return JoinResult.Expired;
        Joined = now;
        ClientVersion = clientVersion;
        return JoinResult.Joined;
    }

    /// <summary>False when the call is not live or the stage is already there.</summary>
    public bool TryEnterStage(StageSettings stage)
    {
        if (!IsLive || Stages.Exists(known => known.CallStageId == stage.CallStageId)) return false;
        Stages.Add(stage);
        ErrorCount = 0;
        return true;
    }

    /// <summary>
    /// Ends the call; false when it had ended, and nothing changes. A call that nobody joined ends as unjoined, unless the fault was ours or the connection's.
    /// </summary>
    public bool TryEnd(CallOutcome outcome, DateTimeOffset now)
    {
        if (Ended is not null) return false;
        var joined = Joined is not null;
        Ended = Joined > now ? Joined : now;
        EndReason = joined || outcome.Reason is GrainInterfaces.Calls.EndReason.SystemError or GrainInterfaces.Calls.EndReason.ConnectionError
            ? outcome.Reason
            : GrainInterfaces.Calls.EndReason.Unjoined;
        ErrorCount = Math.Max(0, outcome.ErrorCount);
        SummaryStatus = joined ? SummaryStatus.Pending : SummaryStatus.None;
        return true;
    }

    /// <summary>Settles the summary; null texts mean that there is none.</summary>
    public void Summarize(SummaryStatus status, string? summary, string? shortSummary)
    {
        SummaryStatus = status;
        Summary = summary;
        ShortSummary = shortSummary;
    }

    /// <summary>From join to end, rounded up to <see cref="BillingUnit"/>; zero for calls that nobody joined; null before the end.</summary>
    public TimeSpan? BilledDuration()
    {
        if (Ended is not { } ended) return null;
        if (Joined is not { } joined || ended <= joined) return TimeSpan.Zero;
        var units = ((ended - joined).Ticks + BillingUnit.Ticks - 1) / BillingUnit.Ticks;
        return units * BillingUnit;
    }

    public CallSnapshot ToSnapshot(string? joinUrl = null) => new()
    {
        Settings = Settings!,
        Stage = Stages[^1],
        JoinUrl = joinUrl,
        Joined = Joined,
        Ended = Ended,
        EndReason = EndReason,
        BilledDuration = BilledDuration(),
        ClientVersion = ClientVersion,
        ShortSummary = ShortSummary,
        Summary = Summary,
        ErrorCount = ErrorCount,
    };
}

/// <summary>What became of a join.</summary>
internal enum JoinResult : byte { Joined, Refused, Expired }

/// <summary>How far a call's summary came. Stored by name.</summary>
internal enum SummaryStatus : byte { None = 0, Pending = 1, Done = 2, Failed = 3 }
