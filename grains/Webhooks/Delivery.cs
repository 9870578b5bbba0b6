using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Webhooks;

/// <summary>One event of one call for one receiver, claimed by this process.</summary>
/// <param name="Id">Its row.</param>
/// <param name="Lease">What this attempt settles it with: should another process have taken over meanwhile, nothing is changed.</param>
/// <param name="Failures">Attempts that failed so far.</param>
/// <param name="WebhookId">Null for a callback.</param>
/// <param name="Call">The call as it was at the event; null when what is stored of it cannot be read.</param>
internal sealed record Delivery(
    long Id, Guid Lease, string CallId, string Event, string Lane, int Failures, Guid? WebhookId, CallSnapshot? Call, string Url, IReadOnlyList<string> Secrets);
