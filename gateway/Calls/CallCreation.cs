using System.Text.Json;
using Orleans;
using VoiceGrains.Gateway.Accounts;
using VoiceGrains.Gateway.Limits;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Agents;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Paging;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Agents;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Tools;

namespace VoiceGrains.Gateway.Calls;

/// <summary>Creates calls: from a request of their own, from an agent's template, or going on from a prior call.</summary>
internal sealed class CallCreation(CallFactory factory, CallStore calls, ToolSelection tools, IGrainFactory grains, CallAllowance allowance)
{
    private const int MessagesAtOnce = 500;

    /// <exception cref="InvalidInputException">The request breaks its contract; nothing was created.</exception>
    /// <exception cref="PlatformException">The account has no room for another call.</exception>
    public async Task<CallResponse> StartAsync(Caller caller, StartCallRequest request, CallStartTerms terms, CancellationToken cancellationToken)
    {
        var origin = new CallOrigin(caller.AccountId) { EnableGreetingPrompt = terms.EnableGreetingPrompt };
        if (terms.PriorCallId is { } prior)
            (origin, request) = await GoOnAsync(origin, prior, request, cancellationToken);
        return await StartAsync(caller, origin, request, terms, cancellationToken);
    }

    /// <summary>As <see cref="StartAsync(Caller, StartCallRequest, CallStartTerms, CancellationToken)"/>, from an agent's template.</summary>
    /// <param name="adjust">Changes the request once the template is filled and laid under it; null for nothing.</param>
    /// <exception cref="PlatformException"><see cref="ErrorCode.AgentNotFound"/>, or the account has no room for another call.</exception>
    public async Task<CallResponse> StartAsync(
        Caller caller, string agentId, StartAgentCallRequest request, CallStartTerms terms, CancellationToken cancellationToken,
        Func<StartCallRequest, Task<StartCallRequest>>? adjust = null)
    {
        var agent = await grains.GetGrain<IAgentGrain>(agentId).GetAsync(caller.AccountId);
        var template = TemplateFiller.Fill(agent.CallTemplate, request.TemplateContext);
        if (request.ToolOverrides is { } overrides)
            request = request with { ToolOverrides = TemplateFiller.FillStrings(overrides, request.TemplateContext ?? []) };
        var origin = new CallOrigin(caller.AccountId) { AgentId = agent.AgentId, AgentName = agent.Name, AddedTools = request.ToolOverrides?.Add?.Count ?? 0 };
        var toolNames = await tools.NamesAsync(caller.AccountId, template.SelectedTools ?? [], cancellationToken);
        var merged = CallRequestMerge.OverTemplate(template, toolNames, request);
        return await StartAsync(caller, origin, adjust is null ? merged : await adjust(merged), terms, cancellationToken);
    }

    private async Task<CallResponse> StartAsync(Caller caller, CallOrigin origin, StartCallRequest request, CallStartTerms terms, CancellationToken cancellationToken)
    {
        var settings = await factory.CreateAsync(origin, request, cancellationToken);
        var throttle = await allowance.FindThrottleAsync(caller, terms.Throttle, cancellationToken);
        var call = await allowance.UseAsync(caller, throttle, limits => grains.GetGrain<ICallGrain>(settings.CallId).CreateAsync(settings, limits), cancellationToken);
        return CallResponse.From(call, JoinUrl(terms, call.JoinUrl!));
    }

    private async Task<(CallOrigin Origin, StartCallRequest Request)> GoOnAsync(
        CallOrigin origin, string priorCallId, StartCallRequest request, CancellationToken cancellationToken)
    {
        if (!Guid.TryParseExact(priorCallId, "D", out _)) throw new InvalidInputException("priorCallId", "Must be a valid UUID.");
        if (await calls.FindAsync(origin.AccountId, priorCallId, cancellationToken) is null)
            throw new InvalidInputException("priorCallId", $"Call '{priorCallId}' was not found.");
        var prior = await grains.GetGrain<ICallGrain>(priorCallId).GetAsync();     // with the secrets of its tools
        var history = await HistoryAsync(prior, cancellationToken);
        origin = origin with { Tools = prior.Stage.Tools, AgentId = prior.Settings.AgentId, AgentName = prior.Settings.AgentName };
        return (origin, CallRequestMerge.OverPriorCall(prior, history, request));
    }

    private async Task<IReadOnlyList<Message>> HistoryAsync(CallSnapshot call, CancellationToken cancellationToken)
    {
        var history = new List<Message>();
        for (var page = new PageRequest(null, MessagesAtOnce); ;)
        {
            var part = await calls.ListMessagesAsync(call.Settings.CallId, call.Stage.CallStageId, page, cancellationToken);
            history.AddRange(part.Results);
            if (part.Next is null) return history;
            page = page with { Cursor = part.Next };
        }
    }

    /// <summary>Where media goes: the call's silo where that has a public address, else through this gateway.</summary>
    private static string JoinUrl(CallStartTerms terms, string url)
    {
        var address = new UriBuilder(url.StartsWith('/') ? terms.PublicBase + url : url);
        address.Scheme = address.Scheme is "https" or "wss" ? "wss" : "ws";
        return address.Uri.AbsoluteUri;
    }
}
