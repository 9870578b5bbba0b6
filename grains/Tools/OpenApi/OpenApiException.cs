namespace VoiceGrains.Grains.Tools.OpenApi;

/// <summary>Why a document, or one operation of it, cannot become tools. The words are for whoever uploaded it.</summary>
internal sealed class OpenApiException(string problem) : Exception(problem);
