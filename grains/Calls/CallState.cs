using System.Text.Json.Serialization;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Webhooks;

namespace VoiceGrains.Grains.Calls;

/// <summary>What of a call must survive, and the rules of its life. No clock and no I/O of its own.</summary>
internal sealed class CallState
{
    /// <summary>Granularity of billing (docs: call billing).</summary>
    private static readonly TimeSpan BillingUnit = TimeSpan.FromSeconds(6);

    /// <summary>A call that was interrupted so often is not resumed again.</summary>
    public const int MostGenerations = 2_000;

    /// <summary>Null only before the call was created.</summary>
    public CallSettings? Settings { get; set; }

    /// <summary>SHA-256 of the join token. Kept after its use, so that a late client is told so and a stranger is not.</summary>
    public byte[]? JoinTokenHash { get; set; }

    /// <summary>In the order they were entered; the first is the call's own.</summary>
    public List<StageSettings> Stages { get; set; } = [];

    public DateTimeOffset? Joined { get; set; }

    /// <summary>Conversations begun, plus one for an end that nobody talked through; what an older one still says does not count.</summary>
    public int Generation { get; set; }

    /// <summary>The process that runs the conversation: <see cref="ConversationHost.Id"/>.</summary>
    public string? Host { get; set; }

    /// <summary>When the last conversation was lost; null while there is one, or none was.</summary>
    public DateTimeOffset? Interrupted { get; set; }

    /// <summary>Of a recorded call, in order.</summary>
    public List<RecordingPart> RecordingParts { get; set; } = [];

    public DateTimeOffset? Ended { get; set; }
    public EndReason? EndReason { get; set; }
    public string? ClientVersion { get; set; }

    /// <summary>Errors of the last stage, as the conversation counted them.</summary>
    public int ErrorCount { get; set; }

    public SummaryStatus SummaryStatus { get; set; }
    public int SummaryAttempts { get; set; }
    public string? ShortSummary { get; set; }
    public string? Summary { get; set; }

    /// <summary>What the next write brings that receivers are told of. Not stored itself: a state that is read again brings nothing.</summary>
    [JsonIgnore] public CallMilestones Milestones { get; set; }

    /// <summary>What the write that creates the call must keep to. Not stored.</summary>
    [JsonIgnore] public CallLimits? Limits { get; set; }

    public DateTimeOffset JoinDeadline => Settings!.Created + Settings.JoinTimeout;

    public bool IsLive => Joined is not null && Ended is null;

    /// <summary>Whether anything is left to do: waiting for the client, talking, or owing a summary.</summary>
    public bool IsUnfinished => Ended is null || SummaryStatus == SummaryStatus.Pending;

    public void Create(CallSettings settings, byte[] joinTokenHash)
    {
        Settings = settings;
        JoinTokenHash = joinTokenHash;
        Stages = [settings.FirstStage];
        Milestones |= CallMilestones.Started;
    }

    /// <summary>A wrong token is refused alike whatever the call's state.</summary>
    public bool IsToken(string token) => JoinTokenHash is not null && JoinToken.Matches(token, JoinTokenHash);

    /// <summary>Uses up the join token, until the conversation is interrupted.</summary>
    /// <param name="host">The process that will run the conversation.</param>
    public JoinResult TryJoin(string token, string? clientVersion, string host, DateTimeOffset now)
    {
        if (!IsToken(token)) return JoinResult.Refused;
        if (Ended is not null || (Joined is null ? now >= JoinDeadline : Interrupted is null) || Generation >= MostGenerations) return JoinResult.Expired;
        if (Joined is null) Milestones |= CallMilestones.Joined;
        Joined ??= now;
        Interrupted = null;
        (Generation, Host, ClientVersion) = (Generation + 1, host, clientVersion);
        if (Settings!.RecordingEnabled) RecordingParts.Add(new RecordingPart(Generation, now > Joined ? now - Joined.Value : TimeSpan.Zero));
        return JoinResult.Joined;
    }

    /// <summary>The conversation is lost: the call waits for its client. False when it is over, or waits already.</summary>
    public bool TryInterrupt(DateTimeOffset when)
    {
        if (!IsLive || Interrupted is not null) return false;
        Interrupted = when < Joined ? Joined : when;
        return true;
    }

    /// <summary>The conversation that was taken for lost is not. False when nothing was taken for lost.</summary>
    public bool TryHold(string host)
    {
        if (!IsLive || (Interrupted is null && Host == host)) return false;
        (Interrupted, Host) = (null, host);
        return true;
    }

    /// <summary>Ends a call whose client did not come back, as of when it was lost.</summary>
    public bool TryAbandon()
    {
        if (Interrupted is not { } lost || !TryEnd(new CallOutcome(GrainInterfaces.Calls.EndReason.ConnectionError), lost)) return false;
        Generation++;
        return true;
    }

    /// <summary>Whether the stage is the call's by now: not when the call is over or went on in a later conversation.</summary>
    /// <param name="isNew">Whether it was not there before.</param>
    public bool TryEnterStage(StageSettings stage, int generation, out bool isNew)
    {
        isNew = false;
        if (!IsLive || generation != Generation) return false;
        if (Stages.Exists(known => known.CallStageId == stage.CallStageId)) return true;
        // Initial messages have a table of their own by now; here only the last stage's are of use.
        Stages[^1] = Stages[^1] with { InitialMessages = [] };
        Stages.Add(stage);
        isNew = true;
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
        Milestones |= CallMilestones.Ended;
        return true;
    }

    /// <summary>Sets the summary, which while it is pending is one that stands in for the model's; null texts mean that there is none.</summary>
    public void Summarize(SummaryStatus status, string? summary, string? shortSummary)
    {
        SummaryStatus = status;
        Summary = summary;
        ShortSummary = shortSummary;
        Milestones |= CallMilestones.Summarized;
    }

    /// <summary>Whether nothing is left to do for it since some time, and nothing asks to keep it.</summary>
    public bool IsOverSince(DateTimeOffset time) => Ended < time && !IsUnfinished && Settings!.RetentionPolicy != "retain";

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
        StageCount = Stages.Count,
        Generation = Generation,
        RecordingParts = RecordingParts,
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
