using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Orleans;
using VoiceGrains.Gateway.Accounts;
using VoiceGrains.Gateway.Paging;
using VoiceGrains.Gateway.Schema;
using VoiceGrains.Gateway.Validation;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Agents;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Paging;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Storage;
using VoiceGrains.Grains.Voices;

namespace VoiceGrains.Gateway.Calls;

/// <summary>Calls over REST. What is read comes from the tables, what changes a call goes to its grain; both only for the account that owns it.</summary>
internal static class CallEndpoints
{
    public static void MapCalls(this IEndpointRouteBuilder routes)
    {
        var calls = routes.MapGroup("/api/calls").WithTags("calls");
        calls.MapGet("", ListAsync).WithName("ListCalls").TakesQuery("sort");
        calls.MapPost("", StartAsync).WithName("StartCall").TakesQuery("enableGreetingPrompt:boolean", "priorCallId:uuid", "throttle");
        calls.MapGet("/{callId}", GetAsync).WithName("GetCall");
        calls.MapDelete("/{callId}", DeleteAsync).WithName("DeleteCall");
        calls.MapGet("/{callId}/messages", ListMessagesAsync).WithName("ListCallMessages").TakesQuery("mode:last_stage|in_call").Answers<PageResponse<Message>>();
        calls.MapGet("/{callId}/events", ListEventsAsync).WithName("ListCallEvents").TakesQuery("minimum_severity:debug|info|warning|error", "type");
        calls.MapGet("/{callId}/tools", ListToolsAsync).WithName("ListCallTools");
        calls.MapGet("/{callId}/recording", GetRecordingAsync).WithName("GetCallRecording").AnswersSound();
        calls.MapPost("/{callId}/send_data_message", SendDataMessageAsync).WithName("SendDataMessage").TakesJson<CallDataMessage>();
        calls.MapGet("/{callId}/stages", ListStagesAsync).WithName("ListCallStages");
        calls.MapGet("/{callId}/stages/{stageId}", GetStageAsync).WithName("GetCallStage");
        calls.MapGet("/{callId}/stages/{stageId}/messages", ListStageMessagesAsync).WithName("ListCallStageMessages").Answers<PageResponse<Message>>();
        calls.MapGet("/{callId}/stages/{stageId}/tools", ListStageToolsAsync).WithName("ListCallStageTools");

        var ofAgent = routes.MapGroup("/api/agents/{agentId:guid}/calls").WithTags("agents");
        ofAgent.MapGet("", ListOfAgentAsync).WithName("ListAgentCalls");
        ofAgent.MapPost("", StartOfAgentAsync).WithName("StartAgentCall").TakesQuery("throttle");

        var deleted = routes.MapGroup("/api/deleted_calls").WithTags("deleted_calls");
        deleted.MapGet("", ListDeletedAsync).WithName("ListDeletedCalls");
        deleted.MapGet("/{callId}", GetDeletedAsync).WithName("GetDeletedCall");
    }

    private static async Task<Created<CallResponse>> StartAsync(
        Caller caller, Body<StartCallRequest> body, HttpRequest request, CallCreation creation, CancellationToken cancellationToken)
    {
        var call = await creation.StartAsync(caller, body.Value, CallStartTerms.From(request), cancellationToken);
        return TypedResults.Created($"/api/calls/{call.CallId}", call);
    }

    private static async Task<Ok<PageResponse<CallResponse>>> ListAsync(
        Caller caller, CallQuery query, PageQuery page, HttpRequest request, CallStore calls, AccountVoices voices, CancellationToken cancellationToken)
        => TypedResults.Ok(PageResponse.From(await FindAsync(caller, query, page, calls, voices, cancellationToken), request));

    internal static async Task<Page<CallResponse>> FindAsync(
        Caller caller, CallQuery query, PageQuery page, CallStore calls, AccountVoices voices, CancellationToken cancellationToken)
    {
        var found = await calls.ListAsync(caller.AccountId, await query.ResolveAsync(caller.AccountId, voices, cancellationToken), page.Page, cancellationToken);
        return found.Select(call => CallResponse.From(call));
    }

    private static async Task<Created<CallResponse>> StartOfAgentAsync(
        Caller caller, Guid agentId, Body<StartAgentCallRequest> body, HttpRequest request, CallCreation creation, CancellationToken cancellationToken)
    {
        var call = await creation.StartAsync(caller, agentId.ToString(), body.Value, CallStartTerms.FromAgentCall(request), cancellationToken);
        return TypedResults.Created($"/api/calls/{call.CallId}", call);
    }

    private static async Task<Ok<PageResponse<CallResponse>>> ListOfAgentAsync(
        Caller caller, Guid agentId, PageQuery page, HttpRequest request, CallStore calls, IGrainFactory grains, CancellationToken cancellationToken)
    {
        var agent = await grains.GetGrain<IAgentGrain>(agentId.ToString()).GetAsync(caller.AccountId);
        var found = await calls.ListAsync(caller.AccountId, new CallFilter { AgentIds = [agent.AgentId] }, page.Page, cancellationToken);
        return TypedResults.Ok(PageResponse.From(found.Select(call => CallResponse.From(call)), request));
    }

    private static async Task<Ok<CallResponse>> GetAsync(Caller caller, string callId, CallStore calls, CancellationToken cancellationToken)
        => TypedResults.Ok(CallResponse.From(await calls.RequireAsync(caller, callId, cancellationToken)));

    private static async Task<NoContent> DeleteAsync(Caller caller, string callId, CallStore calls, IGrainFactory grains, CancellationToken cancellationToken)
    {
        await calls.RequireAsync(caller, callId, cancellationToken);
        await grains.GetGrain<ICallGrain>(callId).DeleteAsync();
        return TypedResults.NoContent();
    }

    private static async Task<Ok<PageResponse<JsonNode>>> ListMessagesAsync(
        Caller caller, string callId, PageQuery page, HttpRequest request, CallStore calls, CancellationToken cancellationToken)
    {
        var call = await calls.RequireAsync(caller, callId, cancellationToken);
        var stage = QueryText.ReadChoice(request.Query, "mode", "last_stage", "in_call") == "in_call" ? null : call.Stage.CallStageId;
        var messages = await calls.ListMessagesAsync(callId, stage, page.Page, cancellationToken);
        return TypedResults.Ok(PageResponse.From(messages.Select(MessageResponse.From), request));
    }

    private static async Task<Ok<PageResponse<CallEvent>>> ListEventsAsync(
        Caller caller, string callId, PageQuery page, HttpRequest request, CallStore calls, CancellationToken cancellationToken)
    {
        await calls.RequireAsync(caller, callId, cancellationToken);
        var severity = QueryText.ReadChoice(request.Query, "minimum_severity", "debug", "info", "warning", "error") switch
        {
            "debug" => Severity.Debug,
            "warning" => Severity.Warning,
            "error" => Severity.Error,
            _ => Severity.Info,
        };
        var events = await calls.ListEventsAsync(callId, severity, QueryText.Read(request.Query, "type"), page.Page, cancellationToken);
        return TypedResults.Ok(PageResponse.From(events, request));
    }

    private static async Task<Ok<CallToolResponse[]>> ListToolsAsync(Caller caller, string callId, CallStore calls, CancellationToken cancellationToken)
    {
        var call = await calls.RequireAsync(caller, callId, cancellationToken);
        return TypedResults.Ok(call.Stage.Tools.Select(CallToolResponse.From).ToArray());
    }

    private static async Task<Ok<PageResponse<CallStageResponse>>> ListStagesAsync(
        Caller caller, string callId, PageQuery page, HttpRequest request, CallStore calls, CancellationToken cancellationToken)
    {
        await calls.RequireAsync(caller, callId, cancellationToken);
        var stages = await calls.ListStagesAsync(callId, page.Page, cancellationToken);
        return TypedResults.Ok(PageResponse.From(stages.Select(stage => CallStageResponse.From(callId, stage)), request));
    }

    private static async Task<Ok<CallStageResponse>> GetStageAsync(
        Caller caller, string callId, string stageId, CallStore calls, CancellationToken cancellationToken)
        => TypedResults.Ok(CallStageResponse.From(callId, await calls.RequireStageAsync(caller, callId, stageId, cancellationToken)));

    private static async Task<Ok<PageResponse<JsonNode>>> ListStageMessagesAsync(
        Caller caller, string callId, string stageId, PageQuery page, HttpRequest request, CallStore calls, CancellationToken cancellationToken)
    {
        await calls.RequireStageAsync(caller, callId, stageId, cancellationToken);
        var messages = await calls.ListMessagesAsync(callId, stageId, page.Page, cancellationToken);
        return TypedResults.Ok(PageResponse.From(messages.Select(MessageResponse.From), request));
    }

    private static async Task<Ok<CallToolResponse[]>> ListStageToolsAsync(
        Caller caller, string callId, string stageId, CallStore calls, CancellationToken cancellationToken)
    {
        var stage = await calls.RequireStageAsync(caller, callId, stageId, cancellationToken);
        return TypedResults.Ok(stage.Settings.Tools.Select(CallToolResponse.From).ToArray());
    }

    /// <summary>The WAV as far as it is written; ranges are served. 425 before the first sound of a call that will have a recording.</summary>
    private static async Task<Results<FileStreamHttpResult, JsonHttpResult<JsonObject>>> GetRecordingAsync(
        Caller caller, string callId, CallStore calls, IBlobStore blobs, CancellationToken cancellationToken)
    {
        var call = await calls.RequireAsync(caller, callId, cancellationToken);
        if (CallRecording.Open(blobs, call) is { } recording)
            return TypedResults.File(recording, "audio/wav", $"{callId}.wav", enableRangeProcessing: true);
        if (call.Settings.RecordingEnabled && call.Ended is null)
            throw new PlatformException(new ErrorCode("recording_not_ready", 425, "Recording not ready"), "The call has no recording yet.");
        throw new PlatformException(ErrorCode.NotFound, "The call has no recording.");
    }

    internal static async Task<NoContent> SendDataMessageAsync(
        Caller caller, string callId, Body<JsonObject> body, CallStore calls, IGrainFactory grains, CancellationToken cancellationToken)
    {
        await calls.RequireAsync(caller, callId, cancellationToken);
        await grains.GetGrain<ICallGrain>(callId).SendDataMessageAsync(DataMessage.Read(body.Json));
        return TypedResults.NoContent();
    }

    private static async Task<Ok<PageResponse<CallTombstoneResponse>>> ListDeletedAsync(
        Caller caller, CallQuery query, PageQuery page, HttpRequest request, CallStore calls, CancellationToken cancellationToken)
    {
        var filter = query.VoiceId is { } voice ? query.Filter with { Voices = [voice] } : query.Filter;
        var found = await calls.ListDeletedAsync(caller.AccountId, filter, page.Page, cancellationToken);
        return TypedResults.Ok(PageResponse.From(found.Select(CallTombstoneResponse.From), request));
    }

    private static async Task<Ok<CallTombstoneResponse>> GetDeletedAsync(Caller caller, string callId, CallStore calls, CancellationToken cancellationToken)
        => TypedResults.Ok(CallTombstoneResponse.From(await calls.FindDeletedAsync(caller.AccountId, callId, cancellationToken) ?? throw NoCall()));

    internal static async Task<CallSnapshot> RequireAsync(this CallStore calls, Caller caller, string callId, CancellationToken cancellationToken)
        => callId.Contains('\0') ? throw NoCall() : await calls.FindAsync(caller.AccountId, callId, cancellationToken) ?? throw NoCall();

    private static async Task<StageRecord> RequireStageAsync(
        this CallStore calls, Caller caller, string callId, string stageId, CancellationToken cancellationToken)
    {
        await calls.RequireAsync(caller, callId, cancellationToken);
        return (stageId.Contains('\0') ? null : await calls.FindStageAsync(callId, stageId, cancellationToken))
            ?? throw new PlatformException(ErrorCode.NotFound, "No CallStage matches the given query.");
    }

    private static PlatformException NoCall() => new(ErrorCode.CallNotFound, "No Call matches the given query.");
}
