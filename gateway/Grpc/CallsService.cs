using System.Text.Json.Nodes;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Options;
using Orleans;
using VoiceGrains.Gateway.Calls;
using VoiceGrains.Gateway.Grpc.V1;
using VoiceGrains.Gateway.Paging;
using VoiceGrains.Gateway.Validation;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainRuntime.Streams;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Calls.LiveEvents;
using VoiceGrains.Grains.Voices;

namespace VoiceGrains.Gateway.Grpc;

/// <summary><c>voicegrains.v1.Calls</c>: what REST does, asked in protobuf, and the live events of a call.</summary>
internal sealed class CallsService(
    CallCreation creation, CallStore calls, AccountVoices voices, IGrainFactory grains, LiveEventStreams streams, GrpcPublicAddress address,
    IOptions<GrpcOptions> options, GrpcMetrics metrics, TimeProvider clock) : IGrpcService
{
    /// <summary>How long the end of a call may take from the store to its stream and through the broker.</summary>
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(2);

    /// <summary>While the stream is cut off, the call may end unheard.</summary>
    private static readonly TimeSpan InterruptedCheckPeriod = TimeSpan.FromSeconds(3);

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
            address.BaseOf(call.Http.Request), request.HasPriorCallId ? request.PriorCallId : null, !request.HasEnableGreetingPrompt || request.EnableGreetingPrompt,
            request.HasThrottle ? request.Throttle : null);
        request.ClearAgentId();
        request.ClearPriorCallId();
        request.ClearEnableGreetingPrompt();
        request.ClearThrottle();
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
        var known = await calls.RequireAsync(call.Caller, request.CallId, call.CancellationToken);
        await using var watch = known.Ended is null ? await SubscribeAsync(request.CallId) : null;
        await exchange.StartAsync(call.CancellationToken);
        // Looked up after the subscription, so that no end is missed, and again in long silences, should the stream have lost it.
        for (var isFirst = true; watch is not null; isFirst = false)
        {
            known = await calls.RequireAsync(call.Caller, request.CallId, call.CancellationToken);
            // The end is told as soon as it is stored: it is on its way, unless it was told before the subscription.
            var patience = known.Ended is null ? watch.IsInterrupted ? InterruptedCheckPeriod : options.Value.WatchCheckPeriod : EndPatience;
            while (await watch.WaitAsync(patience, call.CancellationToken))
            {
                var next = watch.Take();
                if (next is LiveGap gap) metrics.Missed(gap.Dropped);
                await exchange.WriteAsync(LiveEventMessage.From(next), call.CancellationToken);
                if (next is LiveCallEnded) return;
            }
            if (known.Ended is null) continue;
            if (!isFirst) await exchange.WriteAsync(LiveEventMessage.From(new LiveGap(request.CallId, clock.GetUtcNow(), 0, AtLeast: true)), call.CancellationToken);
            break;
        }
        await exchange.WriteAsync(LiveEventMessage.From(new LiveCallEnded(request.CallId, known.Ended!.Value, known.EndReason ?? EndReason.SystemError)), call.CancellationToken);
    }

    private async Task<CallWatch> SubscribeAsync(string callId)
    {
        try
        {
            return await CallWatch.StartAsync(streams.Of(callId), options.Value.WatchQueueLength, metrics, clock);
        }
        catch (StreamInterruptedException)
        {
            throw new GrpcException(GrpcStatusCode.Unavailable, "Live events cannot be had now: the server's message broker is away.");
        }
    }
}
