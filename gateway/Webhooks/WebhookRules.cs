using Orleans;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Agents;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Webhooks;
using VoiceGrains.Providers.Http;

namespace VoiceGrains.Gateway.Webhooks;

/// <summary>What must hold of a webhook beyond the form of its fields.</summary>
internal sealed class WebhookRules(IGrainFactory grains, OutboundGuard guard)
{
    private const int MaxSecretLength = 120;

    /// <param name="accountId">Whose it is.</param>
    /// <param name="given">What is set.</param>
    /// <param name="known">The webhook as it is; null when it is created. Its agent may be gone by now.</param>
    /// <exception cref="InvalidInputException">With everything that is wrong.</exception>
    public async Task CheckAsync(string accountId, WebhookChanges given, Webhook? known)
    {
        var errors = new InputErrors();
        if (given.Url is { } url) ReceiverUrl.Check(url, guard, errors.Field("url"));
        for (var index = 0; index < (given.Secrets?.Count ?? 0); index++) CheckSecret(given.Secrets![index], errors.Field("secrets").Item(index));
        if (given.AgentId is { } agentId && agentId != known?.AgentId) await CheckAgentAsync(accountId, agentId, errors.Field("agentId"));
        errors.ThrowIfAny();
    }

    private static void CheckSecret(string secret, InputErrors errors)
    {
        if (secret.Length == 0) errors.Add("This field may not be blank.");
        else if (secret.Length > MaxSecretLength) errors.Add($"Ensure this field has no more than {MaxSecretLength} characters.");
    }

    private async Task CheckAgentAsync(string accountId, string agentId, InputErrors errors)
    {
        try
        {
            await grains.GetGrain<IAgentGrain>(agentId).GetAsync(accountId);
        }
        catch (PlatformException missing) when (missing.Code == ErrorCode.AgentNotFound)
        {
            errors.Add($"Invalid pk \"{agentId}\" - object does not exist.");
        }
    }
}
