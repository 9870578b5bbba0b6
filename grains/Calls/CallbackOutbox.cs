using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces;

namespace VoiceGrains.Grains.Calls;

/// <summary>Which deliveries a call's state owes; each is stored once, in the transaction that stores the state (<c>ultravox.v1.Callbacks</c>).</summary>
internal static class CallbackOutbox
{
    public const string Store = """
        insert into webhook_outbox (call_id, account_id, event, created, document, callback) values ($1, $2, $3, $4, $5, $6)
        on conflict (call_id, event) do nothing
        """;

    /// <summary>The events that have happened and that somebody asked to be told of.</summary>
    public static IEnumerable<(string Event, OwedCallback Callback)> Owed(CallState call)
    {
        if (call.Settings!.Callbacks is not { } callbacks) yield break;
        if (call.Joined is not null && callbacks["joined"] is JsonObject joined) yield return ("joined", new(joined));
        if (call.Ended is null) yield break;
        if (callbacks["ended"] is JsonObject ended) yield return ("ended", new(ended));
        if (callbacks["billed"] is JsonObject billed) yield return ("billed", new(billed));
    }
}

/// <param name="Receiver">Its URL and secrets.</param>
internal sealed record OwedCallback([property: Secret] JsonObject Receiver);
