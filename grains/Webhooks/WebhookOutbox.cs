using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Webhooks;

/// <summary>
/// Which deliveries the storing of a call's state owes. The statements run in the transaction that stores the state, so that there is neither an event
/// without its deliveries nor the reverse.
/// </summary>
internal sealed class WebhookOutbox(TimeProvider clock)
{
    /// <summary>A call's grain lets go what waited for the summary; this is for when it could not.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(5);

    private const string ForWebhooks = """
        insert into webhook_outbox (call_id, account_id, event, position, created, document, webhook_id, lane, due, held)
        select $1, $2, $3, $4, $5, $6, webhook_id, 'webhook ' || webhook_id, $7, $8
        from webhooks where account_id = $2 and (agent_id is null or agent_id = $9::text) and $3 = any(events)
        on conflict do nothing
        """;

    private const string ForCallback = """
        insert into webhook_outbox (call_id, account_id, event, position, created, document, callback, lane, due, held)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        on conflict do nothing
        """;

    private const string Release = """
        update webhook_outbox set document = $2, due = $3, held = false where call_id = $1 and held and outcome is null and lease is null
        """;

    private const string ReleaseOfDeleted = "update webhook_outbox set due = least(due, $2), held = false where call_id = $1 and held and outcome is null";
    private const string ForgetOfDeleted = "delete from webhook_outbox where call_id = $1 and outcome is not null";

    /// <param name="settings">Of the call.</param>
    /// <param name="milestones">What this write brings.</param>
    /// <param name="patience">How long receivers of the end wait for the call's summary; null when there is none to wait for.</param>
    /// <param name="document">Makes the JSON of what the receivers are shown.</param>
    /// <param name="seal">Makes the JSON of a callback's receiver, its secrets encrypted.</param>
    public IEnumerable<(string Sql, object?[] Values)> Statements<TJson>(
        CallSettings settings, CallMilestones milestones, TimeSpan? patience, Func<TJson> document, Func<OwedCallback, TJson> seal)
        where TJson : class
    {
        if (milestones == CallMilestones.None) yield break;
        var (now, shown) = (clock.GetUtcNow(), document());
        if (milestones.HasFlag(CallMilestones.Summarized)) yield return (Release, [settings.CallId, shown, now]);
        foreach (var happened in Happened(milestones))
        {
            var wait = happened >= WebhookEvent.Ended ? patience + Margin : null;
            var (held, due) = (wait is not null, now + (wait ?? TimeSpan.Zero));
            yield return (ForWebhooks, [settings.CallId, settings.AccountId, happened.Name(), (short)happened, now, shown, due, held, settings.AgentId]);
            if (CallbackFor(settings, happened) is not { } callback) continue;
            yield return (ForCallback,
                [settings.CallId, settings.AccountId, happened.Name(), (short)happened, now, shown, seal(new(callback)), Lane(settings, callback), due, held]);
        }
    }

    /// <summary>What is owed of a deleted call is still delivered, and at once; nothing else of it is kept.</summary>
    public IEnumerable<(string Sql, object?[] Values)> StatementsOfDeletion(string callId)
        => [(ReleaseOfDeleted, [callId, clock.GetUtcNow()]), (ForgetOfDeleted, [callId])];

    /// <summary>Nothing is charged here, so that what is billed is known with the end.</summary>
    private static IEnumerable<WebhookEvent> Happened(CallMilestones milestones)
    {
        if (milestones.HasFlag(CallMilestones.Started)) yield return WebhookEvent.Started;
        if (milestones.HasFlag(CallMilestones.Joined)) yield return WebhookEvent.Joined;
        if (!milestones.HasFlag(CallMilestones.Ended)) yield break;
        yield return WebhookEvent.Ended;
        yield return WebhookEvent.Billed;
    }

    private static JsonObject? CallbackFor(CallSettings settings, WebhookEvent happened) => happened switch
    {
        WebhookEvent.Joined => settings.Callbacks?["joined"] as JsonObject,
        WebhookEvent.Ended => settings.Callbacks?["ended"] as JsonObject,
        WebhookEvent.Billed => settings.Callbacks?["billed"] as JsonObject,
        _ => null,
    };

    /// <summary>Callbacks of an account to one server share a lane, whatever their paths.</summary>
    private static string Lane(CallSettings settings, JsonObject callback)
    {
        var server = Uri.TryCreate(callback["url"]?.GetValue<string>(), UriKind.Absolute, out var url) ? url.GetLeftPart(UriPartial.Authority) : "";
        return $"callback {settings.AccountId} {server}";
    }
}

/// <param name="Receiver">Its URL and secrets.</param>
internal sealed record OwedCallback([property: Secret] JsonObject Receiver);
