using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using VoiceGrains.Gateway.Accounts;
using VoiceGrains.Gateway.Schema;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Storage;

namespace VoiceGrains.Gateway.Calls;

/// <summary>The sound of single messages, of the last stage or of one that is named.</summary>
internal static class MessageAudioEndpoints
{
    public static void MapMessageAudio(this IEndpointRouteBuilder routes)
    {
        var calls = routes.MapGroup("/api/calls").WithTags("calls");
        calls.MapGet("/{callId}/messages/{index:int}/audio", GetAsync).WithName("GetCallMessageAudio").AnswersSound();
        calls.MapGet("/{callId}/stages/{stageId}/messages/{index:int}/audio", GetOfStageAsync).WithName("GetCallStageMessageAudio").AnswersSound();
    }

    private static async Task<FileStreamHttpResult> GetAsync(
        Caller caller, string callId, int index, CallStore calls, IBlobStore blobs, CancellationToken cancellationToken)
    {
        var call = await calls.RequireAsync(caller, callId, cancellationToken);
        return await OpenAsync(call, call.Stage.CallStageId, index, calls, blobs, cancellationToken);
    }

    private static async Task<FileStreamHttpResult> GetOfStageAsync(
        Caller caller, string callId, string stageId, int index, CallStore calls, IBlobStore blobs, CancellationToken cancellationToken)
    {
        var call = await calls.RequireAsync(caller, callId, cancellationToken);
        return await OpenAsync(call, stageId, index, calls, blobs, cancellationToken);
    }

    private static async Task<FileStreamHttpResult> OpenAsync(
        CallSnapshot call, string stageId, int index, CallStore calls, IBlobStore blobs, CancellationToken cancellationToken)
    {
        var callId = call.Settings.CallId;
        var message = (stageId.Contains('\0') ? null : await calls.FindMessageAsync(callId, stageId, index, cancellationToken))
            ?? throw new PlatformException(ErrorCode.NotFound, "No Message matches the given query.");
        return TypedResults.File(MessageAudio.Open(blobs, call, message), "audio/wav", $"{callId}-{index}.wav", enableRangeProcessing: true);
    }
}
