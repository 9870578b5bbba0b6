using System.ComponentModel.DataAnnotations;

namespace VoiceGrains.Grains.Calls.DataConnections;

/// <summary>Section <c>Calls:DataConnections</c>: bounds on the WebSockets that calls open to their customers' servers.</summary>
public sealed class DataConnectionOptions
{
    /// <summary>For name, TCP, TLS and handshake together. Default 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:01:00")] public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(10);
    /// <summary>Between a connection's end, or a failed attempt, and the next attempt; doubles with each failure. Default 0.25 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00")] public TimeSpan FirstRetry { get; set; } = TimeSpan.FromSeconds(0.25);
    /// <summary>The longest of these pauses. Default 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:10:00")] public TimeSpan LongestRetry { get; set; } = TimeSpan.FromSeconds(10);
    /// <summary>A connection that lived as long as this was a good one: the pauses begin anew. Default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:10:00")] public TimeSpan StableAfter { get; set; } = TimeSpan.FromSeconds(5);
    /// <summary>How long the server may take nothing before the connection counts as dead. Default 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:02:00")] public TimeSpan SendTimeout { get; set; } = TimeSpan.FromSeconds(10);
    /// <summary>For the last messages and the closing handshake when the call ends. Default 1 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "00:00:10")] public TimeSpan CloseTimeout { get; set; } = TimeSpan.FromSeconds(1);
    /// <summary>Messages that wait to be sent. Default 1 MiB.</summary>
    [Range(64 * 1024, 64 * 1024 * 1024)] public int MessageQueueBytes { get; set; } = 1024 * 1024;
    /// <summary>Sound that waits to be sent; the oldest makes room for the newest. Default 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:00:30")] public TimeSpan AudioQueue { get; set; } = TimeSpan.FromSeconds(2);
    /// <summary>How far behind the call its sound is sent, so that a user's sound that comes late keeps its place. Default 0.2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:02")] public TimeSpan AudioDelay { get; set; } = TimeSpan.FromSeconds(0.2);
}
