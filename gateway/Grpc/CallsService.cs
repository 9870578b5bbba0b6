using System.Text.Json.Nodes;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Options;
using Orleans;
using VoiceGrains.Gateway.Calls;
using VoiceGrains.Gateway.Grpc.V1;
using VoiceGrains.Gateway.Paging;
using VoiceGrains.Gateway.Validation;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Calls.LiveEvents;
using VoiceGrains.Providers.Catalog;
using LiveEvent = VoiceGrains.Grains.Calls.LiveEvents.LiveEvent;

namespace VoiceGrains.Gateway.Grpc;

/// <summary><c>voicegrains.v1.Calls</c>: what REST does, asked in protobuf, and the live events of a call.</summary>
internal sealed class CallsService(
    CallCreation creation, CallStore calls, IVoiceCatalog voices, IGrainFactory grains, LiveEventStreams streams, GrpcPublicAddress address,
    IOptions<GrpcOptions> options, TimeProvider clock) : IGrpcService
{
    public IEnumerable<GrpcMethod> Methods =>
    [
        new UnaryMethod<CreateCallRequest, Call>("/voicegrains.v1.Calls/Create", CreateCallRequest.Parser, CreateAsync),
        new UnaryMethod<GetCallRequest, Call>("/voicegrains.v1.Calls/Get", GetCallRequest.Parser, GetAsync),
        new UnaryMethod<ListCallsRequest, ListCallsResponse>("/voicegrains.v1.Calls/List", ListCallsRequest.Parser, ListAsync),
        new UnaryMethod<SendDataMessageRequest, Empty>("/voicegrains.v1.Calls/SendDataMessage", SendDataMessageRequest.Parser, SendDataMessageAsync),
        new ServerStreamingMethod<WatchCallRequest>("/voicegrains.v1.Calls/WatchCall", WatchCallRequest.Parser, WatchAsync),
    ];

    private async Task<Call> CreateAsync(CreateCallRequest request, GrpcCall call)
    {
        var agentId = request.HasAgentId ? request.AgentId : null;
        var terms = new CallStartTerms(
            address.BaseOf(call.Http.Request), request.HasPriorCallId ? request.PriorCallId : null, !request.HasEnableGreetingPrompt || request.EnableGreetingPrompt);
        request.ClearAgentId();
        request.ClearPriorCallId();
        request.ClearEnableGreetingPrompt();
        var body = GrpcJson.ToJson(request);        // what is left of it
        var created = agentId is null
            ? await creation.StartAsync(call.Caller, Body<StartCallRequest>.Read(body).Value, terms, call.CancellationToken)
            : await creation.StartAsync(call.Caller, AgentsService.IdOf(agentId).ToString(), Body<StartAgentCallRequest>.Read(body).Value, terms, call.CancellationToken);
        return GrpcJson.FromAnswer<Call>(created);
    }

    private async Task<Call> GetAsync(GetCallRequest request, GrpcCall call)
        => GrpcJson.FromAnswer<Call>(CallResponse.From(await calls.RequireAsync(call.Caller, request.CallId, call.CancellationToken)));

    private async Task<ListCallsResponse> ListAsync(ListCallsRequest request, GrpcCall call)
    {
        var query = GrpcJson.ToQuery(request);
        var page = await CallEndpoints.FindAsync(call.Caller, CallQuery.Read(query), PageQuery.Read(query), calls, voices, call.CancellationToken);
        return GrpcJson.FromAnswer<ListCallsResponse>(page);
    }

    private async Task<Empty> SendDataMessageAsync(SendDataMessageRequest request, GrpcCall call)
    {
        var message = Body<JsonObject>.Read(GrpcJson.ToJson(request.Message ?? new Struct()));
        await CallEndpoints.SendDataMessageAsync(call.Caller, request.CallId, message, calls, grains, call.CancellationToken);
        return new Empty();
    }

    private async Task WatchAsync(WatchCallRequest request, GrpcCall call, GrpcExchange exchange)
    {
        await calls.RequireAsync(call.Caller, request.CallId, call.CancellationToken);
        await using var watch = await CallWatch.StartAsync(streams.Of(request.CallId), options.Value.WatchQueueLength, clock);
        await exchange.StartAsync(call.CancellationToken);
        LiveEvent? last = null;
        while (last is not LiveCallEnded)
        {
            // Looked up after the subscription, so that no end is missed, and again in long silences, should the stream have lost it.
            var known = await calls.RequireAsync(call.Caller, request.CallId, call.CancellationToken);
            while (last is not LiveCallEnded && (known.Ended is null ? await watch.WaitAsync(options.Value.WatchCheckPeriod, call.CancellationToken) : watch.HasEvents))
            {
                last = watch.Take();
                await exchange.WriteAsync(LiveEventMessage.From(last), call.CancellationToken);
            }
            if (last is LiveCallEnded || known is not { Ended: { } ended, EndReason: { } reason }) continue;
            last = new LiveCallEnded(request.CallId, ended, reason);
            await exchange.WriteAsync(LiveEventMessage.From(last), call.CancellationToken);
        }
    }
}
