using System.ComponentModel.DataAnnotations;

namespace VoiceGrains.Grains.Calls;

/// <summary>Calls whose connection or server is lost; section <c>Calls:Resume</c>.</summary>
public sealed class CallResumeOptions
{
    /// <summary>How long such a call waits for its client to open the join URL again, 0 to 10 min; 0 ends it at once. Default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan Grace { get; set; } = TimeSpan.FromSeconds(30);
}
