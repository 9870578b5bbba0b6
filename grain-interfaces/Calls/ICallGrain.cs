using System.Text.Json.Nodes;
using Orleans;
using Orleans.Concurrency;

namespace VoiceGrains.GrainInterfaces.Calls;

/// <summary>One call. The key is the call id. Owns what must survive; the live conversation runs beside it on the same silo.</summary>
public interface ICallGrain : IGrainWithStringKey
{
    /// <summary>
    /// Stores the call and starts its join timeout. The join URL in the answer is shown once and works once. Where its silo has no public media address
    /// it is a path, for the gateway to complete with its own.
    /// </summary>
    /// <param name="settings">What the call is made of.</param>
    /// <param name="limits">Counted in the transaction that stores the call, over all servers of the database; null for none.</param>
    /// <exception cref="PlatformException">
    /// A limit is reached, and nothing was created: <see cref="ErrorCode.ConcurrencyLimit"/>, <see cref="ErrorCode.CallRateLimit"/>,
    /// <see cref="ErrorCode.CallThrottled"/>; or <see cref="ErrorCode.Draining"/>.
    /// </exception>
    Task<CallSnapshot> CreateAsync(CallSettings settings, CallLimits? limits = null);

    /// <exception cref="PlatformException"><see cref="ErrorCode.CallNotFound"/>.</exception>
    Task<CallSnapshot> GetAsync();

    /// <summary>Which silo has the call: there its media must come.</summary>
    /// <exception cref="PlatformException"><see cref="ErrorCode.CallNotFound"/>.</exception>
    [AlwaysInterleave]
    Task<CallLocation> LocateAsync();

    /// <summary>
    /// Uses up the join URL, which is good again once the conversation was interrupted. The caller then runs the conversation, from what is stored of the call
    /// where <see cref="CallSnapshot.Generation"/> is above 1, and tells the end by <see cref="EndAsync"/>.
    /// </summary>
    /// <param name="joinToken">The unguessable part of the join URL.</param>
    /// <exception cref="PlatformException">
    /// <see cref="ErrorCode.JoinRefused"/> for a wrong token, <see cref="ErrorCode.JoinExpired"/> for a used or late one, <see cref="ErrorCode.SiloUnavailable"/>
    /// while it is not known whether the conversation is lost.
    /// </exception>
    Task<CallSnapshot> JoinAsync(string joinToken, string? clientVersion);

    /// <summary>
    /// Stores a new stage; the conversation changes over to it afterwards. Idempotent. False, and nothing is stored, when the call has ended or went on in
    /// another conversation.
    /// </summary>
    /// <param name="generation">The conversation's.</param>
    Task<bool> EnterStageAsync(StageSettings stage, int generation);

    /// <summary>
    /// From the process whose conversation it is, now and then: it lives. False when the call has ended or went on in another conversation; this one must end.
    /// </summary>
    /// <param name="host">The process's own name.</param>
    Task<bool> HoldAsync(int generation, string host);

    /// <summary>Does what is due: for a call that may have lost the silo of its conversation.</summary>
    Task TakeUpAsync();

    /// <summary>Ends the call: bills it, stores it, starts its summary. Idempotent: the first outcome stays. An outcome that may be mended interrupts it instead.</summary>
    Task<CallSnapshot> EndAsync(CallOutcome outcome);

    /// <summary>Ends the call as if its client had hung up, at once: when this returns, its end is stored. Idempotent: a call that has ended stays as it is.</summary>
    /// <exception cref="PlatformException"><see cref="ErrorCode.CallNotFound"/>.</exception>
    [AlwaysInterleave]
    Task<CallSnapshot> HangUpAsync();

    /// <summary>Hands a data message (<c>forced_agent_message</c>, <c>hang_up</c>, <c>user_text_message</c>) to the live conversation.</summary>
    /// <exception cref="PlatformException"><see cref="ErrorCode.CallNotLive"/>.</exception>
    Task SendDataMessageAsync(JsonObject message);

    /// <summary>Ends the call if it is live, then removes everything of it but a tombstone.</summary>
    /// <exception cref="PlatformException"><see cref="ErrorCode.CallNotFound"/>.</exception>
    [AlwaysInterleave]
    Task DeleteAsync();

    /// <summary>Deletes a call that has been over for long. False, and nothing happens, when it is not: it is live, owes its summary, asks to be retained, or ended later.</summary>
    /// <exception cref="PlatformException"><see cref="ErrorCode.CallNotFound"/>.</exception>
    Task<bool> ExpireAsync(DateTimeOffset endedBefore);
}

/// <summary>How a conversation ended.</summary>
/// <param name="Detail">Words for the event log; null where the reason says all.</param>
/// <param name="ErrorCount">Errors of the last stage.</param>
/// <param name="Ended">When; null for now. The word of it may come late, when a server was away.</param>
public sealed record CallOutcome(EndReason Reason, string? Detail = null, int ErrorCount = 0, DateTimeOffset? Ended = null)
{
    /// <summary>Which conversation ended: it does not count once a later one has begun. Null: whichever there is.</summary>
    public int? Generation { get; init; }

    /// <summary>The connection or the server was lost, not the interest: the client may come back within the grace period.</summary>
    public bool MayResume { get; init; }
}

/// <summary>Where a call is.</summary>
/// <param name="Silo">Id of the silo; null while it is not a member of its cluster.</param>
/// <param name="Address">Its base URL for gateways and other silos; null where none is configured.</param>
public sealed record CallLocation(string? Silo, string? Address);
