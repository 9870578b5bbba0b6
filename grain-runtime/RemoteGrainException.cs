namespace VoiceGrains.GrainRuntime;

/// <summary>A grain in another process failed with an exception whose type is not known or cannot be made here.</summary>
/// <param name="typeName">Full name of that type.</param>
/// <param name="message">Its message.</param>
public sealed class RemoteGrainException(string typeName, string message) : Exception($"{typeName}: {message}")
{
    public string TypeName => typeName;
}
