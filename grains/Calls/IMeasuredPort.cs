using System.Text.Json.Nodes;

namespace VoiceGrains.Grains.Calls;

/// <summary>What an <see cref="IMediaPort"/> implements too when it measures how sound came through.</summary>
public interface IMeasuredPort
{
    /// <summary>For the call's event log, asked once at the end of the conversation. Null: there is nothing to tell.</summary>
    MediaMeasures? Measure();
}

/// <param name="Type">Of the event.</param>
/// <param name="Text">For people.</param>
/// <param name="Extras">The figures.</param>
public sealed record MediaMeasures(string Type, string Text, JsonObject Extras);
