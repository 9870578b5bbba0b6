using Microsoft.AspNetCore.Http;
using VoiceGrains.Gateway.Accounts;
using VoiceGrains.Gateway.Calls;
using VoiceGrains.Gateway.Errors;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Accounts;
using VoiceGrains.Grains.Agents;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Signing;

namespace VoiceGrains.Gateway.Talk;

/// <summary>Calls of the talk page: for holders of a talk link, which is good for one agent and for a time, or of an API key.</summary>
internal sealed class TalkCalls(AccountStore accounts, AgentStore agents, CallCreation creation, CallStore calls, ScopedTokens tokens, TimeProvider clock)
{
    /// <summary>Stands for the key's prefix in logs and limits.</summary>
    private const string LinkPrefix = "talk-link";

    private static readonly TimeSpan Slack = TimeSpan.FromMinutes(10);

    /// <summary>Who starts the call: the account behind the key, or behind the link.</summary>
    /// <param name="caller">With a key; else null.</param>
    /// <param name="bearer">The talk token; null for none.</param>
    /// <exception cref="PlatformException">Neither holds.</exception>
    public async Task<Caller> AdmitAsync(Guid agentId, Caller? caller, string? bearer, CancellationToken cancellationToken)
    {
        if (caller is not null) return caller;
        if (bearer is null) throw new PlatformException(HttpErrors.NotAuthenticated, ApiKeyAuthentication.MissingCredentials);
        if (tokens.Verify(TokenScope.Talk, agentId.ToString(), bearer, out var generation) is not { } owner
            || await accounts.FindAsync(Guid.Parse(owner), cancellationToken) is not { } account
            || await agents.FindTalkLinksGenerationAsync(owner, agentId.ToString(), cancellationToken) is { } present && present != generation)
            throw new PlatformException(HttpErrors.BearerRefused, "The link is wrong, its time is over, or it was taken back.");
        if (account.Disabled is not null) throw new PlatformException(ErrorCode.AccountDisabled, "This account is disabled.");
        return new Caller(account, LinkPrefix);
    }

    public async Task<TalkCallResponse> StartAsync(Guid agentId, Caller caller, CallStartTerms terms, CancellationToken cancellationToken)
    {
        var request = new StartAgentCallRequest { Medium = new CallMedium { WebRtc = new WebRtcMedium() } };
        var call = await creation.StartAsync(caller, agentId.ToString(), request, terms, cancellationToken);
        var until = clock.GetUtcNow() + call.JoinTimeout + call.MaxDuration + Slack;
        return new(call.CallId, call.JoinUrl!, call.Agent?.Name ?? "Agent", tokens.Create(TokenScope.EndCall, call.CallId, caller.AccountId, until));
    }

    /// <summary>Whether a call is over and why, for whoever holds its end token.</summary>
    /// <exception cref="PlatformException">The token does not hold, or the call was deleted.</exception>
    public async Task<TalkEndResponse> FindAsync(string callId, string? bearer, CancellationToken cancellationToken)
    {
        if (bearer is null) throw new PlatformException(HttpErrors.NotAuthenticated, ApiKeyAuthentication.MissingCredentials);
        if (tokens.Verify(TokenScope.EndCall, callId, bearer) is not { } owner) throw new PlatformException(HttpErrors.BearerRefused, "The token is wrong or expired.");
        var call = await calls.FindAsync(owner, callId, cancellationToken) ?? throw new PlatformException(ErrorCode.CallNotFound, "No Call matches the given query.");
        return new(call.Ended is not null, call.EndReason);
    }

    /// <summary>The token of a talk link.</summary>
    /// <exception cref="PlatformException">The account has no such agent.</exception>
    public async Task<string> CreateTokenAsync(Guid agentId, Caller caller, DateTimeOffset until, CancellationToken cancellationToken)
        => await agents.FindTalkLinksGenerationAsync(caller.AccountId, agentId.ToString(), cancellationToken) is { } generation
            ? tokens.Create(TokenScope.Talk, agentId.ToString(), caller.AccountId, until, generation)
            : throw NoAgent();

    /// <summary>Takes back the agent's talk links. Calls that they started go on.</summary>
    /// <exception cref="PlatformException">The account has no such agent.</exception>
    public async Task RevokeAsync(Guid agentId, Caller caller, CancellationToken cancellationToken)
    {
        if (!await agents.RevokeTalkLinksAsync(caller.AccountId, agentId.ToString(), cancellationToken)) throw NoAgent();
    }

    private static PlatformException NoAgent() => new(ErrorCode.AgentNotFound, "Not found.");
}

/// <param name="JoinUrl">For an Ultravox client.</param>
/// <param name="EndToken">Ends the call and tells of its end; nothing else.</param>
internal sealed record TalkCallResponse(string CallId, string JoinUrl, string AgentName, string EndToken);

/// <param name="EndReason">Null while it goes on.</param>
internal sealed record TalkEndResponse(bool Ended, EndReason? EndReason);
