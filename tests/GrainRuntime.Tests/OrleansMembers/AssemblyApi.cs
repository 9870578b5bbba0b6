using System.Collections.Immutable;
using System.Globalization;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace VoiceGrains.GrainRuntime.Tests.OrleansMembers;

/// <summary>A public type as metadata declares it: its own line and one line per public or protected member.</summary>
internal sealed record ApiType(string Namespace, string Name, string Declaration, ImmutableSortedSet<string> Interfaces, ImmutableSortedSet<string> Members);

/// <summary>
/// Reads the public surface of an assembly file without loading it, so that an assembly whose dependencies are absent can be
/// compared too. Types are named without their assembly, and nullability annotations are left out: neither changes what compiles.
/// </summary>
internal sealed class AssemblyApi : IDisposable
{
    private readonly PEReader _file;
    private readonly MetadataReader _metadata;
    private readonly TypeNames _names = new();

    private AssemblyApi(string path)
    {
        _file = new PEReader(File.OpenRead(path));
        _metadata = _file.GetMetadataReader();
    }

    public static Dictionary<string, ApiType> Read(string path)
    {
        using var api = new AssemblyApi(path);
        return api.Types().ToDictionary(type => $"{type.Namespace}.{type.Name}", StringComparer.Ordinal);
    }

    public void Dispose() => _file.Dispose();

    private IEnumerable<ApiType> Types() =>
        from handle in _metadata.TypeDefinitions
        let type = _metadata.GetTypeDefinition(handle)
        where (type.Attributes & TypeAttributes.VisibilityMask) == TypeAttributes.Public
        select Describe(type);

    private ApiType Describe(TypeDefinition type)
    {
        var context = Names(type.GetGenericParameters());
        var accessors = new HashSet<MethodDefinitionHandle>();
        var members = new List<string>();
        members.AddRange(type.GetProperties().Select(handle => Property(handle, context, accessors)).OfType<string>());
        members.AddRange(type.GetEvents().Select(handle => Event(handle, context, accessors)).OfType<string>());
        members.AddRange(type.GetMethods().Where(handle => !accessors.Contains(handle)).Select(handle => Method(handle, context)).OfType<string>());
        members.AddRange(type.GetFields().Select(handle => Field(handle, context)).OfType<string>());

        var interfaces = type.GetInterfaceImplementations()
            .Select(handle => _names.Of(_metadata, _metadata.GetInterfaceImplementation(handle).Interface, new(context, [])));
        return new(
            _metadata.GetString(type.Namespace),
            _metadata.GetString(type.Name),
            Declaration(type, context),
            interfaces.ToImmutableSortedSet(StringComparer.Ordinal),
            members.ToImmutableSortedSet(StringComparer.Ordinal));
    }

    private string Declaration(TypeDefinition type, ImmutableArray<string> context)
    {
        var attributes = type.Attributes;
        var parent = type.BaseType.IsNil ? "" : _names.Of(_metadata, type.BaseType, new(context, []));
        var kind = attributes.HasFlag(TypeAttributes.Interface) ? "interface"
            : parent == "System.ValueType" ? "struct"
            : parent == "System.Enum" ? "enum"
            : parent is "System.MulticastDelegate" ? "delegate"
            : (attributes & (TypeAttributes.Abstract | TypeAttributes.Sealed)) switch
            {
                TypeAttributes.Abstract | TypeAttributes.Sealed => "static class",
                TypeAttributes.Abstract => "abstract class",
                TypeAttributes.Sealed => "sealed class",
                _ => "class",
            };
        var name = _metadata.GetString(type.Name);
        var inherits = kind.EndsWith("class", StringComparison.Ordinal) && parent != "System.Object" ? $" : {parent}" : "";
        return $"{kind} {name}{Generics(type.GetGenericParameters(), new(context, []))}{inherits}";
    }

    private string? Method(MethodDefinitionHandle handle, ImmutableArray<string> typeContext)
    {
        var method = _metadata.GetMethodDefinition(handle);
        var name = _metadata.GetString(method.Name);
        if (!IsVisible(method.Attributes) || name == ".cctor")
            return null;
        var context = new TypeNames.Scope(typeContext, Names(method.GetGenericParameters()));
        var signature = method.DecodeSignature(_names, context);
        var parameters = Parameters(method, signature.ParameterTypes);
        return $"{Modifiers(method.Attributes)}{signature.ReturnType} {name}{Generics(method.GetGenericParameters(), context)}({parameters})";
    }

    private string? Property(PropertyDefinitionHandle handle, ImmutableArray<string> context, HashSet<MethodDefinitionHandle> accessors)
    {
        var property = _metadata.GetPropertyDefinition(handle);
        var pair = property.GetAccessors();
        accessors.UnionWith([pair.Getter, pair.Setter]);
        var get = pair.Getter.IsNil ? null : (MethodDefinition?)_metadata.GetMethodDefinition(pair.Getter);
        var set = pair.Setter.IsNil ? null : (MethodDefinition?)_metadata.GetMethodDefinition(pair.Setter);
        var visibleGet = get is { } g && IsVisible(g.Attributes);
        var visibleSet = set is { } s && IsVisible(s.Attributes);
        if (!visibleGet && !visibleSet)
            return null;
        var signature = property.DecodeSignature(_names, new(context, []));
        var index = signature.ParameterTypes.Length == 0 ? "" : $"[{string.Join(", ", signature.ParameterTypes)}]";
        var lead = visibleGet ? get!.Value : set!.Value;
        // The required modifier of the return type marks an init accessor.
        var setter = visibleSet ? set!.Value.DecodeSignature(_names, new(context, [])).ReturnType.Contains("modreq", StringComparison.Ordinal) ? "init; " : "set; " : "";
        return $"{Modifiers(lead.Attributes)}{signature.ReturnType} {_metadata.GetString(property.Name)}{index} {{ {(visibleGet ? "get; " : "")}{setter}}}";
    }

    private string? Event(EventDefinitionHandle handle, ImmutableArray<string> context, HashSet<MethodDefinitionHandle> accessors)
    {
        var definition = _metadata.GetEventDefinition(handle);
        var pair = definition.GetAccessors();
        accessors.UnionWith([pair.Adder, pair.Remover]);
        var add = _metadata.GetMethodDefinition(pair.Adder);
        return IsVisible(add.Attributes)
            ? $"{Modifiers(add.Attributes)}event {_names.Of(_metadata, definition.Type, new(context, []))} {_metadata.GetString(definition.Name)}"
            : null;
    }

    private string? Field(FieldDefinitionHandle handle, ImmutableArray<string> context)
    {
        var field = _metadata.GetFieldDefinition(handle);
        var access = field.Attributes & FieldAttributes.FieldAccessMask;
        if (access is not (FieldAttributes.Public or FieldAttributes.Family or FieldAttributes.FamORAssem) || field.Attributes.HasFlag(FieldAttributes.SpecialName))
            return null;
        var value = field.GetDefaultValue().IsNil ? "" : $" = {Constant(field.GetDefaultValue())}";
        var modifier = field.Attributes.HasFlag(FieldAttributes.Literal) ? "const " : field.Attributes.HasFlag(FieldAttributes.Static) ? "static " : "";
        return $"{modifier}{field.DecodeSignature(_names, new(context, []))} {_metadata.GetString(field.Name)}{value}";
    }

    private string Parameters(MethodDefinition method, ImmutableArray<string> types)
    {
        var declared = method.GetParameters().Select(_metadata.GetParameter).Where(parameter => parameter.SequenceNumber > 0)
            .ToDictionary(parameter => parameter.SequenceNumber);
        return string.Join(", ", types.Select((type, index) =>
        {
            if (!declared.TryGetValue(index + 1, out var parameter))
                return type;
            var optional = !parameter.Attributes.HasFlag(ParameterAttributes.Optional) ? ""
                : parameter.GetDefaultValue().IsNil ? " = default" : $" = {Constant(parameter.GetDefaultValue())}";
            return $"{type} {_metadata.GetString(parameter.Name)}{optional}";
        }));
    }

    private string Generics(GenericParameterHandleCollection handles, TypeNames.Scope context)
    {
        if (handles.Count == 0)
            return "";
        var parameters = handles.Select(handle =>
        {
            var parameter = _metadata.GetGenericParameter(handle);
            var special = parameter.Attributes & GenericParameterAttributes.SpecialConstraintMask;
            var constraints = parameter.GetConstraints()
                .Select(constraint => _names.Of(_metadata, _metadata.GetGenericParameterConstraint(constraint).Type, context))
                .Append(special == GenericParameterAttributes.None ? "" : special.ToString()).Where(text => text.Length > 0).Order(StringComparer.Ordinal);
            var variance = (parameter.Attributes & GenericParameterAttributes.VarianceMask) switch
            {
                GenericParameterAttributes.Covariant => "out ",
                GenericParameterAttributes.Contravariant => "in ",
                _ => "",
            };
            var list = string.Join(" & ", constraints);
            return $"{variance}{_metadata.GetString(parameter.Name)}{(list.Length == 0 ? "" : $": {list}")}";
        });
        return $"<{string.Join(", ", parameters)}>";
    }

    private ImmutableArray<string> Names(GenericParameterHandleCollection handles) =>
        [.. handles.Select(handle => _metadata.GetString(_metadata.GetGenericParameter(handle).Name))];

    private string Constant(ConstantHandle handle)
    {
        var constant = _metadata.GetConstant(handle);
        var value = _metadata.GetBlobReader(constant.Value).ReadConstant(constant.TypeCode);
        return value is null ? "null" : Convert.ToString(value, CultureInfo.InvariantCulture) ?? "null";
    }

    private static bool IsVisible(MethodAttributes attributes) =>
        (attributes & MethodAttributes.MemberAccessMask) is MethodAttributes.Public or MethodAttributes.Family or MethodAttributes.FamORAssem;

    private static string Modifiers(MethodAttributes attributes)
    {
        var access = (attributes & MethodAttributes.MemberAccessMask) == MethodAttributes.Public ? "" : "protected ";
        var dispatch = attributes.HasFlag(MethodAttributes.Static) ? "static "
            : attributes.HasFlag(MethodAttributes.Abstract) ? "abstract "
            : attributes.HasFlag(MethodAttributes.Virtual) && !attributes.HasFlag(MethodAttributes.Final) ? "virtual " : "";
        return access + dispatch;
    }
}
