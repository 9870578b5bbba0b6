using Microsoft.AspNetCore.Http;
using Orleans;
using VoiceGrains.Gateway.Accounts;
using VoiceGrains.Gateway.Calls;
using VoiceGrains.Gateway.Errors;
using VoiceGrains.Gateway.Joining;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Signing;
using VoiceGrains.Grains.Voices;

namespace VoiceGrains.Gateway.Connection;

/// <summary>Creates calls for clients that know nothing but LiveKit, and ends them for those that have no API key.</summary>
internal sealed class ConnectionCalls(CallCreation creation, VoiceStore voices, CallStore calls, RoomTokens rooms, ScopedTokens scoped, IGrainFactory grains, TimeProvider clock)
{
    /// <summary>How long tokens outlive the longest that the call may wait and last: time lost in reconnecting.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromMinutes(10);

    /// <exception cref="UnprocessableException">The variables do not fit the agent's template, or the voice does not exist.</exception>
    /// <exception cref="PlatformException">There is no such agent, or the account may not create a call now.</exception>
    public async Task<ConnectionDetailsResponse> CreateAsync(Caller caller, ConnectionDetailsRequest request, CallStartTerms terms, CancellationToken cancellationToken)
    {
        if (!Guid.TryParse(request.AgentId, out var agentId)) throw new PlatformException(ErrorCode.AgentNotFound, "No Agent matches the given query.");
        var asked = new StartAgentCallRequest
        {
            TemplateContext = request.DynamicVariables, Voice = request.Tts?.VoiceId, Medium = new CallMedium { WebRtc = new WebRtcMedium() },
        };
        CallResponse call;
        try
        {
            call = await creation.StartAsync(caller, agentId.ToString(), asked, terms, cancellationToken, AdjustAsync);
        }
        catch (InvalidInputException invalid)
        {
            throw new UnprocessableException(RequestProblems.From(invalid.Errors));
        }
        var roomUrl = JoinEndpoints.RoomUrl(call.JoinUrl!, out var joinToken);
        var lifetime = call.JoinTimeout + call.MaxDuration + Slack;
        var room = rooms.Create(new RoomGrant(call.CallId, RoomGrant.UserIdentity) { JoinToken = joinToken }, lifetime);
        return new(roomUrl, room, call.CallId, scoped.Create(TokenScope.EndCall, call.CallId, caller.AccountId, clock.GetUtcNow() + lifetime));

        async Task<StartCallRequest> AdjustAsync(StartCallRequest merged)
        {
            if (request.Tts is not { } tts) return merged;
            var own = string.IsNullOrEmpty(merged.Voice) ? null : await voices.FindAsync(caller.AccountId, merged.Voice, cancellationToken);
            return tts.Over(merged, own?.Definition);
        }
    }

    /// <summary>Ends a call for whoever holds its end token, or a key of the account that owns it. Idempotent.</summary>
    /// <param name="endToken">Null for none.</param>
    /// <param name="caller">Null without a key.</param>
    /// <exception cref="PlatformException">Neither holds, or there is no such call any more.</exception>
    public async Task<CallSnapshot> EndAsync(string callId, string? endToken, Caller? caller, CancellationToken cancellationToken)
    {
        var accountId = endToken is not null ? scoped.Verify(TokenScope.EndCall, callId, endToken) : caller?.AccountId;
        if (accountId is null) throw new PlatformException(HttpErrors.BearerRefused, "The end token is wrong or expired.");
        if (!Guid.TryParse(callId, out _) || await calls.FindAsync(accountId, callId, cancellationToken) is null) throw new PlatformException(ErrorCode.CallNotFound, "No Call matches the given query.");
        return await grains.GetGrain<ICallGrain>(callId).HangUpAsync();
    }
}
