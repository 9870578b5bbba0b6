using System.Diagnostics;
using Google.Protobuf.WellKnownTypes;
using VoiceGrains.Gateway.Grpc.V1;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls.LiveEvents;

namespace VoiceGrains.Gateway.Grpc;

/// <summary>A live event as a message.</summary>
internal static class LiveEventMessage
{
    public static V1.LiveEvent From(Grains.Calls.LiveEvents.LiveEvent source)
    {
        var message = new V1.LiveEvent { CallId = source.CallId, Time = source.Time.ToTimestamp() };
        switch (source)
        {
            case LiveTranscript transcript: message.Transcript = From(transcript); break;
            case LiveState state: message.State = new StateChange { State = state.State }; break;
            case LiveCallEvent callEvent: message.CallEvent = From(callEvent); break;
            case LiveCallEnded ended: message.CallEnded = new CallEnded { EndReason = WireJson.NameOf(ended.Reason) }; break;
            case LiveGap gap: message.Gap = new Gap { Dropped = gap.Dropped, AtLeast = gap.AtLeast }; break;
            default: throw new UnreachableException();
        }
        return message;
    }

    private static Transcript From(LiveTranscript source)
    {
        var transcript = new Transcript
        {
            Role = source.Role == MessageRole.User ? "user" : "agent",
            Medium = source.Medium == MessageMedium.Text ? "text" : "voice",
            Ordinal = source.Ordinal,
            Final = source.Final,
        };
        if (source.Text is { } text) transcript.Text = text;
        else transcript.Delta = source.Delta ?? "";
        return transcript;
    }

    private static V1.CallEvent From(LiveCallEvent source) => new()
    {
        CallStageId = source.CallStageId,
        CallTimestamp = source.CallTimestamp.ToDuration(),
        WallClockTimestamp = source.WallClockTimestamp?.ToDuration(),
        Severity = source.Severity switch
        {
            Severity.Debug => "debug",
            Severity.Info => "info",
            Severity.Warning => "warning",
            _ => "error",
        },
        Type = source.Type,
        Text = source.Text,
        Extras = source.Extras is { } extras ? GrpcJson.FromJson<Struct>(extras) : null,
    };
}
