namespace VoiceGrains.GrainRuntime.Activations;

/// <summary>The identity of a grain, as it is stored and logged: <c>type/key</c>.</summary>
internal readonly record struct GrainId(string Type, string Key)
{
    public override string ToString() => $"{Type}/{Key}";
}
