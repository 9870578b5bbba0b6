using System.ComponentModel.DataAnnotations;

namespace VoiceGrains.Grains.Tools;

/// <summary>Limits of durable tools; section <c>Tools:Durable</c>.</summary>
public sealed class DurableToolOptions
{
    /// <summary>Own tools of one account. Default 1,000.</summary>
    [Range(0, 100_000)] public int MaxPerAccount { get; set; } = 1_000;

    /// <summary>Largest definition of a durable tool as JSON, bytes. Default 128 KiB: the model reads all of it that is not hidden, with every request.</summary>
    [Range(1024, 1 << 20)] public int MaxDefinitionBytes { get; set; } = 128 * 1024;

    /// <summary>Largest OpenAPI file, bytes. Default 2 MiB.</summary>
    [Range(1024, 1 << 24)] public int MaxImportBytes { get; set; } = 2 << 20;

    /// <summary>Most operations of one OpenAPI file, each of which becomes a tool. Default 200.</summary>
    [Range(1, 10_000)] public int MaxImportTools { get; set; } = 200;
}
